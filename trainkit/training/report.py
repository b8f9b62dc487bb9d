"""What `fit` tells a person before and after the training."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainkit.config import Config
from trainkit.models.costs import layer_costs
from trainkit.models.targets import Finding, Target
from trainkit.runs import Run
from trainkit.training.devices import Devices
from trainkit.training.distillation import Student
from trainkit.training.log import say
from trainkit.training.network_table import network_rows, network_table
from trainkit.training.network_totals import target_text, totals_text
from trainkit.training.phases import phase_lines
from trainkit.training.precision import as_float32, precision_lines
from trainkit.training.prepare import Prepared
from trainkit.training.scale.report import lines_of

MOST_CLASSES = 20
"""Classes of the longest per-class table; of more, the worst are shown."""


def print_header(console: Console, run: Run, prepared: Prepared, devices: Devices) -> None:
    """Say what is trained, on what, and where it goes."""
    name = prepared.config.experiment.name
    say(console, f"{name}: {prepared.model.count_params():,} parameters; {_samples(prepared)}")
    _print_start(console, prepared)
    say(console, f"device: {devices}")
    say(console, f"run: {run.directory}")


def print_network(
    console: Console,
    prepared: Prepared,
    *,
    flat: bool = False,
    targets: Mapping[Target, Sequence[Finding]] | None = None,
) -> None:
    """Show what a network is made of and what it costs, and the data it is for.

    Args:
        console: Where to print.
        prepared: The network and its data.
        flat: Whether every layer has a row; else every block.
        targets: Where its files are to run, and what stands in the way there.
    """
    config, model = prepared.config, as_float32(prepared.model)
    lines, costs = _lines(config), layer_costs(model)
    blocks = config.experiment.model.network.blocks
    rows = network_rows(costs, lines=lines, block_names=blocks, flat=flat)
    console.print(network_table(rows, title=config.experiment.name))
    if len(rows) < len(costs):
        say(console, f"{len(rows)} rows of {len(costs)} layers: --flat shows all")
    console.print()
    size = config.experiment.data.batch_size
    for line in totals_text(model, costs, batch_size=size, lines=lines, trained=prepared.model):
        say(console, line)
    for target, unmet in (targets or {}).items():
        for line in target_text(model, target, unmet, lines=lines):
            say(console, line)
    _print_start(console, prepared)


def print_checked(console: Console, prepared: Prepared, *, problems: str = "no problems") -> None:
    """Say how many samples there are, and what is wrong."""
    say(console, f"{_samples(prepared)}; {problems}")


def _print_start(console: Console, prepared: Prepared) -> None:
    """Say which weights the network begins with, what learns, on how many replicas, and what is worth a note."""
    for line in prepared.weights.lines() if prepared.weights else ():
        say(console, line)
    if isinstance(prepared.model, Student):
        say(console, str(prepared.model.lesson))
    for line in phase_lines(prepared.phases):
        say(console, line)
    for line in precision_lines(prepared.config, prepared.model):
        say(console, line)
    for note in prepared.splits.notes:
        say(console, f"note: {note}")
    for line in lines_of(prepared.model, batch_size=prepared.config.experiment.data.batch_size):
        say(console, line)


def _lines(config: Config) -> dict[str, int]:
    """The line of each layer, block and input of a network, as far as they are from a file."""
    model = config.experiment.model
    nodes = {name: call.node for name, call in model.network.calls.items()} | model.network.users
    lines = {name: config.line_of(node) for name, node in nodes.items()}
    for name in model.input_specs:
        place = config.document.place(model.path_of_input(name))
        lines[name] = place.line if place else None
    return {name: line for name, line in lines.items() if line}


def print_summary(console: Console, run: Run, metrics: dict[str, Any]) -> None:
    """Show the metrics of the finished model, and the next command."""
    best = metrics["best"]
    say(console, f"best epoch: {best['epoch']} ({best['monitor']} {best['value']:.4f})")
    for split in ("validation", "test"):
        if split in metrics:
            values = "  ".join(f"{name} {value:.4f}" for name, value in metrics[split]["metrics"].items())
            say(console, f"{split}: {values}")
    if "test" not in metrics:
        cure = "`data.test_split` takes some of the samples"
        say(console, f"no test samples: these figures are of the samples that chose the epoch; {cure}")
    reported = metrics.get("test") or metrics.get("validation") or {}
    for name, result in reported.get("outputs", {"": reported}).items():
        print_result(console, result, samples=reported.get("samples", 0), name=name)
    say(console, f"next: trainkit deploy {shlex.quote(str(run.directory))}")


def print_evaluation(console: Console, result: dict[str, Any]) -> None:
    """Show what `evaluate` measured."""
    values = "  ".join(f"{name} {value:.4f}" for name, value in result["metrics"].items())
    values = values or "  ".join(f"{name} {result[name]:.4f}" for name in ("accuracy", "rmse") if name in result)
    say(console, f"{result['file']}, {result['split']}: {values}")
    for name, one in result.get("outputs", {"": result}).items():
        print_result(console, one, samples=result["samples"], name=name)


def print_result(console: Console, result: dict[str, Any], *, samples: int, name: str = "") -> None:
    """Show what was measured of one output."""
    title = f"{name}: " if name else ""
    if "per_class" in result:
        console.print(_per_class_table(result, f"{title}{samples:,} samples"))
        say(console, _confusions(result))
    elif "rmse" in result:
        told = "  ".join(f"{measure} {result[measure]:.4g}" for measure in ("mae", "rmse", "r2"))
        say(console, f"{title}{told}")


def _per_class_table(result: dict[str, Any], title: str) -> Table:
    table = Table(title=Text(title), title_justify="left")
    table.add_column("class")
    columns = result["per_class"]
    for name in columns:
        table.add_column(name, justify="right")
    order = list(range(len(result["classes"])))
    if len(order) > MOST_CLASSES:
        order = sorted(order, key=lambda index: columns["f1"][index])[:MOST_CLASSES]
        table.caption = f"the {MOST_CLASSES} worst of {len(result['classes'])} classes; metrics.json has all"
    for index in order:
        shares = [f"{columns[name][index]:.3f}" for name in ("precision", "recall", "f1")]
        table.add_row(Text(result["classes"][index]), *shares, f"{columns['support'][index]:.0f}")
    return table


def _confusions(result: dict[str, Any], most: int = 3) -> str:
    """The classes that are taken for each other most often."""
    matrix, classes = result["confusion_matrix"], result["classes"]
    pairs = [
        (count, classes[true], classes[given])
        for true, row in enumerate(matrix)
        for given, count in enumerate(row)
        if true != given and count
    ]
    worst = sorted(pairs, key=lambda pair: -pair[0])[:most]
    told = ", ".join(f"{true} taken for {given} ({count}×)" for count, true, given in worst)
    return f"most confused: {told or 'none'}"


def _samples(prepared: Prepared) -> str:
    return ", ".join(f"{size:,} {split}" for split, size in prepared.sizes.items())

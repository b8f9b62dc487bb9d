"""What `deploy` tells a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainkit.deploy.compress.measure import StepReport
from trainkit.deploy.compress.result import DISTINCT, ZEROS
from trainkit.deploy.compress.steps import Compressed
from trainkit.deploy.export.wording import COLOURS, FITS
from trainkit.deploy.proof import Proof
from trainkit.deploy.subject import PAGE
from trainkit.deploy.verify import FileReport
from trainkit.inference.preprocess import FILE_NAME
from trainkit.training.log import say


def print_steps(console: Console, compressed: Compressed) -> None:
    """Show a row for each compression step, and what became of the layers that integers are made of."""
    table = Table(
        title=f"compression, measured on the {compressed.measured_on} samples",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("step")
    classes = compressed.steps[0].accuracy is not None
    columns = ["loss", *(["accuracy", "drop"] if classes else []), "zeros", "values", "bytes", "gzipped", "seconds"]
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for step in compressed.steps:
        table.add_row(
            step.step,
            f"{step.loss:.4f}",
            *([_share(step.accuracy), f"{step.drop_points or 0:.2f}"] if classes else []),
            f"{step.zeros:.1%}",
            f"{step.distinct:,}",
            f"{step.bytes:,}",
            f"{step.gzip_bytes:,}",
            f"{step.seconds:,.0f}",
        )
    console.print(table)
    console.print(
        "zeros: of the kernels' values; values: distinct ones in a kernel, in an output channel after Quantize; bytes: "
        "of the weights",
        style="dim",
    )
    for step in compressed.steps:
        for line in (*_layer_lines(step), *_filter_lines(step)):
            say(console, line)


def gain_lines(compressed: Compressed, files: Sequence[FileReport]) -> Iterator[str]:
    """What zeros and shared values gain, which is not what one might think."""
    plain = [step for step in compressed.steps if step.step != "Quantize"][-1]
    sparse = any(promise.kind == ZEROS for promise in compressed.promises)
    shared = max((promise.limit for promise in compressed.promises if promise.kind == DISTINCT), default=0)
    what = [
        *([f"{plain.zeros:.0%} of the kernels' values are zero"] if sparse else []),
        *([f"kernels that were clustered share {shared} values at most"] if shared else []),
    ]
    for file in files:
        if what and file.file.endswith(".tflite"):
            smaller = f"gzipped it is {file.bytes / file.gzip_bytes:.1f}× smaller"
            yield f"{' and '.join(what)}: {file.file} is as large and as fast as without that; {smaller}"


def _layer_lines(step: StepReport) -> Iterator[str]:
    """A line for each thing that became of layers, with the names of those that are not as one would wish."""
    layers = step.facts.get("layers", [])
    statuses = dict.fromkeys(layer["status"] for layer in layers)
    if layers:
        counts = ", ".join(f"{sum(layer['status'] == status for layer in layers)} {status}" for status in statuses)
        scheme = f" ({step.facts['scheme']})" if "scheme" in step.facts else ""
        yield f"{step.step}{scheme}: {counts}; layer by layer in compression.json"
    for layer in layers:
        if layer["status"] == "float" or (layer["class_name"] == "BatchNormalization" and layer["status"] != "folded"):
            yield f"  {layer['layer']} ({layer['class_name']}): {layer['status']}: {layer['reason']}"


def _filter_lines(step: StepReport) -> Iterator[str]:
    """What is left of a network that has lost filters."""
    if "filters" in step.facts:
        left = (
            f"{after:,} of {before:,} {what}"
            for what, (before, after) in (
                ("multiply-accumulates", step.facts["macs"]),
                ("parameters", step.facts["parameters"]),
            )
        )
        yield f"{step.step}: {' and '.join(left)} are left; filters by layer in compression.json"


def print_report(console: Console, proof: Proof, files: Sequence[FileReport], directory: Path) -> None:
    """Show a row for each file, where they stand, and what an app has to do."""
    table = Table(
        title=f"on {proof.samples:,} samples", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False
    )
    table.add_column("file", overflow="fold")
    classes = any("accuracy" in values for values in proof.of_model[1].values())
    columns = [
        "bytes",
        "gzipped",
        *(["accuracy", "drop", "agree"] if classes else []),
        *_numbers_columns(proof),
        "verdict",
    ]
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row(
        proof.file,
        "",
        "",
        *([_share(proof.accuracy), "", ""] if classes else []),
        *_rmse(proof, proof.of_model[1]),
    )
    for file in files:
        drop = "" if file.drop_points is None else f"{file.drop_points:.2f}"
        table.add_row(
            Text(file.file),
            f"{file.bytes:,}",
            f"{file.gzip_bytes:,}",
            *([_share(file.accuracy), drop, _share(file.parity.agreement)] if classes else []),
            *_rmse(proof, file.outputs),
            "ok" if file.parity.passed else "FAIL",
        )
    console.print(table)
    if classes:
        console.print("drop: accuracy lost, in points; agree: answers equal to the model's", style="dim")
    for line in _for_apps(proof.data):
        say(console, line)
    if (directory / FILE_NAME).exists():
        say(console, f"an app does what {FILE_NAME} says before a .tflite: that holds no texts and no missing numbers")
    say(console, f"files: {directory}")
    if (directory / PAGE).exists():
        say(console, f"all of it as a page: {directory / PAGE}")


def _numbers_columns(proof: Proof) -> list[str]:
    several = len(proof.targets) > 1
    return [f"{name} rmse" if several else "rmse" for name in proof.numbers]


def _rmse(proof: Proof, outputs: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [f"{outputs[name]['rmse']:.4g}" if "rmse" in outputs.get(name, {}) else "" for name in proof.numbers]


def _for_apps(data: Mapping[str, Any]) -> Iterator[str]:
    """What an app has to do with an image before it hands it over; `verify.json` says the same."""
    for name, entry in data.get("inputs", {}).items():
        if (image := entry.get("image")) is None:
            continue
        colours = COLOURS[image["channels"]]
        smooth = " with antialias" if image["antialias"] else " without antialias"
        yield (
            f"an app gives {name!r}: the image upright (EXIF), {FITS[image['fit']]} to {image['width']}×"
            f"{image['height']} ({image['method']}{smooth}), {colours}, values 0 to 255"
        )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"

"""What a person is told of an int8 file's layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainkit.deploy.islands import AUTO
from trainkit.deploy.sensitivity.analysis import Sensitivity
from trainkit.deploy.sensitivity.explain import JSON, PICTURE, Explanation
from trainkit.deploy.sensitivity.wording import error_words, exclude_line, export_line, trial_words
from trainkit.deploy.verify import FileReport
from trainkit.deploy.wording import rate_text
from trainkit.training.log import say

MOST_ROWS = 12
MOST_EXPLAINED = 3
WORTH_TELLING = 0.1
"""Share of the worst layer's error, from which it is told why a layer has it."""


def print_islands(console: Console, files: Sequence[FileReport]) -> None:
    """Tell which layers of int8 files compute in float32, and why those."""
    for file in files:
        for line in _island_lines(file):
            say(console, line)


def print_explanation(console: Console, explanation: Explanation | None) -> None:
    """Show a row for each layer, what is known of the worst, and what to write into the YAML."""
    if explanation is None:
        return
    found = explanation.sensitivity
    if found is None:
        say(console, f"what int8 costs the layers of {explanation.file} could not be measured: {explanation.failure}")
        return
    console.print(_table(explanation, found))
    for line in (*_notes(explanation, found), *_reasons(found), *_advice(explanation, found)):
        say(console, line)
    say(console, f"all of it: {JSON}, {PICTURE}")


def _island_lines(file: FileReport) -> Iterator[str]:
    islands = file.islands
    if islands is None:
        return
    names = ", ".join(islands["exclude"]) or "no layer"
    auto = islands.get(AUTO)
    if auto is None:
        yield f"{file.file}: {names} computed in float32, all others in int8"
        return
    yield (
        f"{file.file}: {names} in float32, found on {auto['samples']:,} samples with {auto['tried']} files: error "
        f"{rate_text(auto['before']['error'])} without, {rate_text(auto['after']['error'])} with"
    )
    if not auto["before"]["passed"]:
        yield f"without: {auto['before']['reason']}"
    if not auto["after"]["passed"]:
        yield f"no choice of layers does it; with all in float32 still: {auto['after']['reason']}"


def _table(explanation: Explanation, found: Sensitivity) -> Table:
    where = "before Quantize, by calibration, " if explanation.before_quantize else ""
    title = f"what int8 costs each layer of {explanation.file}, {where}on {found.samples:,} {explanation.measured_on}"
    table = Table(title=f"{title} samples", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("layer", overflow="fold")
    for column in ("alone", "all but", "weights", "values", "local"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for row in found.layers[:MOST_ROWS]:
        table.add_row(
            Text(row.layer),
            rate_text(row.alone.error if row.alone else None),
            rate_text(row.without.error if row.without else None),
            rate_text(row.kernel),
            rate_text(row.output),
            rate_text(row.local),
            Text(", ".join(reason.kind for reason in row.reasons)),
        )
    return table


def _notes(explanation: Explanation, found: Sensitivity) -> Iterator[str]:
    yield f"all layers int8: {trial_words(found.integers)}; error: {error_words(found)}"
    yield (
        "alone: only this layer is int8; all but: all others are (real files, run by LiteRT); weights, values: nothing "
        "is rounded but the layer's weights, or what it gives"
    )
    yield f"local: share of what it gives that its own rounding loses, all layers in one run of {found.kept} samples"
    if left := sum(one.own is None for one in found.layers):
        yield f"{left} layers that lose less by that were not measured by files of their own"


def _reasons(found: Sensitivity) -> Iterator[str]:
    worst = max((row.own or 0.0 for row in found.layers), default=0.0)
    for row in found.layers[:MOST_EXPLAINED]:
        for reason in row.reasons if (row.own or 0.0) >= WORTH_TELLING * worst else ():
            yield f"{row.layer} ({row.class_name}): {reason.kind}: {reason.text}"


def _advice(explanation: Explanation, found: Sensitivity) -> Iterator[str]:
    choice = found.choice
    if choice is None:
        return
    if choice.needed:
        yield f"there is no operation on integers for {', '.join(choice.needed)}: an int8 file must exclude that"
    elif found.integers.passed:
        yield (
            f"{explanation.file} is within its limits on these samples with all layers in int8: nothing needs to be "
            "excluded"
        )
        return
    yield f"with all layers in int8: {found.integers.reason}"
    if not choice.after.passed:
        yield f"with all layers in float32 still: {choice.after.reason}"
        return
    yield f"{exclude_line(choice.layers)} does it ({choice.tried} files tried): {trial_words(choice.after)}; write"
    yield f"  {export_line(explanation.node.arguments, choice.layers)}"

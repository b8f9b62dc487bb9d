"""What a learning-rate range test says, and the files that it leaves."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from trainkit.config import Config
from trainkit.errors import TrainingError, counted
from trainkit.runs import replace_file
from trainkit.training.log import say
from trainkit.training.rate_finder.curve import RateCurve
from trainkit.training.rate_finder.picture import draw_curve
from trainkit.training.rate_finder.rate_key import RateKey, rate_key

COLUMNS = ("update", "learning_rate", "loss", "smoothed_loss")


def write_curve(curve: RateCurve, table: Path, picture: Path, *, title: str) -> None:
    """Write a curve as a table and as a picture, both whole or none.

    Args:
        curve: What was found.
        table: A .csv file.
        picture: An .svg file.
        title: Stands above the picture.

    Raises:
        OutputError: If a file cannot be written.
    """
    with ExitStack() as stack:
        rows, drawn = (stack.enter_context(replace_file(filepath)) for filepath in (table, picture))
        with rows.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for update, values in enumerate(zip(curve.rates, curve.losses, curve.smoothed, strict=True), start=1):
                writer.writerow([update, *map(float, values)])
        draw_curve(curve, drawn, title=title)


def print_curve(console: Console, config: Config, curve: RateCurve) -> None:
    """Say how the test ended, which rates follow from it, and where to write them.

    Raises:
        TrainingError: If the loss falls at no rate.
    """
    for line in _lines(config, curve):
        say(console, line)
    if curve.steepest is None:
        span = f"from {curve.rates[0]:.3g} to {curve.rates[-1]:.3g}"
        cure = "Try other rates (--from, --to), more updates (--steps), or a larger batch_size"
        raise TrainingError(f"the loss falls at no rate {span}: none can be suggested. {cure}.")


def _lines(config: Config, curve: RateCurve) -> Iterator[str]:
    key = rate_key(config)
    yield f"{counted(len(curve.rates), 'update')}, {curve.rates[0]:.3g} to {curve.rates[-1]:.3g}: {_END[curve.end]}"
    if key.schedule:
        yield f"note: {key.schedule} is left out here: each rate holds for one update"
    if curve.steepest is None or curve.highest_safe is None:
        return
    if curve.steepest == curve.rates[0]:
        yield "note: the loss falls most at the first rate: begin lower with --from"
    if curve.end == "highest" and curve.lowest == len(curve.rates) - 1:
        yield "note: the loss still falls at the last rate: go higher with --to"
    yield f"steepest descent: {curve.steepest:.2g}"
    yield f"highest safe:     {curve.highest_safe:.2g}"
    yield from _advice(config, key, f"{curve.steepest:.2g}")


_END = {
    "highest": "came to the highest rate",
    "diverged": "ended, the loss diverged",
    "not finite": "ended, the loss was not finite",
}


def _advice(config: Config, key: RateKey, rate: str) -> Iterator[str]:
    place, source = key.place(config), config.document.source
    gone = f", in the place of {key.in_place_of}" if key.in_place_of else ""
    yield f"in {source}{f', {place}' if place else ''}{gone}:"
    yield f"  {key.line(config, rate)}"
    if not gone:
        yield f"or: trainkit fit {source} {key.override}={rate}"

"""`trainkit lr-finder`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode, ConfigFile, Overrides
from trainkit.cli.output import check_output

WIDTH = 100
"""Columns where standard output is not a terminal."""


def lr_finder(
    config: ConfigFile,
    overrides: Overrides = None,
    lowest: Annotated[float, typer.Option("--from", help="The first learning rate.")] = 1e-7,
    highest: Annotated[float, typer.Option("--to", help="The last, unless the loss diverges before.")] = 10.0,
    steps: Annotated[int, typer.Option(help="Updates, each at a higher rate.")] = 200,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder to write to.")] = Path("."),
    allow_code: AllowCode = False,
) -> None:
    """Find a learning rate for CONFIG: train for a moment at rates that rise, and see at which the loss falls.

    Writes lr_finder.csv and lr_finder.svg; leaves no run.
    """
    table, picture = output / "lr_finder.csv", output / "lr_finder.svg"
    for filepath in (table, picture):
        check_output(filepath, [".csv", ".svg"])

    from trainkit.config import load_config

    loaded = load_config(config, overrides or ())

    from rich.console import Console

    from trainkit.training.rate_finder import find_learning_rate, print_curve, write_curve

    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    curve = find_learning_rate(loaded, lowest=lowest, highest=highest, steps=steps, console=console)
    write_curve(curve, table, picture, title=f"{loaded.experiment.name}: loss by learning rate")
    print_curve(console, loaded, curve)
    print(table, picture, sep="\n")

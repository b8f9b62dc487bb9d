"""`trainkit check`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode, ConfigFile, Overrides

WIDTH = 100
"""Columns where standard output is not a terminal."""


def check(
    config: ConfigFile,
    overrides: Overrides = None,
    flat: Annotated[bool, typer.Option("--flat", help="Show every layer, not every block.")] = False,
    allow_code: AllowCode = False,
) -> None:
    """Find every problem in CONFIG, then show its layers, their shapes, parameters and costs; trains nothing."""
    from trainkit.config import load_config

    loaded = load_config(config, overrides or ())

    from rich.console import Console

    from trainkit.deploy import check_deploy
    from trainkit.training import prepare
    from trainkit.training.report import print_network

    prepared = prepare(loaded)
    check_deploy(loaded, prepared.model)
    print_network(Console(width=None if sys.stdout.isatty() else WIDTH), prepared, flat=flat)

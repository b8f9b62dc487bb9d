"""`trainkit fit`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode, ConfigFile, Overrides


def fit(
    config: ConfigFile,
    overrides: Overrides = None,
    runs: Annotated[Path, typer.Option(help="Where run directories are made.")] = Path("runs"),
    allow_code: AllowCode = False,
) -> None:
    """Train the model that CONFIG describes; leaves a run directory."""
    from trainkit.config import load_config

    loaded = load_config(config, overrides or ())  # errors of text, key or name, before TensorFlow is imported

    from trainkit.deploy import check_exports
    from trainkit.training import fit as train

    check_exports(loaded)
    train(loaded, runs=runs)

"""`trainkit fit`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode, Overrides
from trainkit.errors import InputError
from trainkit.workers import launch


def fit(
    config: Annotated[
        str | None,
        typer.Argument(metavar="CONFIG", help="The YAML file; not needed with --resume.", show_default=False),
    ] = None,
    overrides: Overrides = None,
    runs: Annotated[Path, typer.Option(help="Where run directories are made.")] = Path("runs"),
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with a training that was broken off, or make it longer.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --resume: go on whatever has changed in config, code or data.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Tell where the time of the training goes; it is slower then.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Train in N processes of this machine, which share each batch."),
    ] = None,
    allow_code: AllowCode = False,
) -> None:
    """Train the model that CONFIG describes; leaves a run directory."""
    given = list(overrides or ())
    if config is not None and resume is not None and "=" in config:  # an override: the run has its own config
        given, config = [config, *given], None
    if config is None and resume is None:
        raise InputError("`trainkit fit` must be given a CONFIG, or --resume RUN.")
    if force and resume is None:
        raise InputError("--force goes with --resume RUN only.")

    from trainkit.config import load_config

    # errors of text, key or name come before TensorFlow is imported
    loaded = load_config(Path(config), given) if config is not None else None
    if workers is not None and workers > 1:
        options = {"--runs": runs, "--resume": resume}
        flags = {"--force": force, "--allow-code": allow_code, "--profile": profile}
        written = [text for name, value in options.items() if value for text in (name, str(value))]
        written += [name for name, is_set in flags.items() if is_set]
        debug = ["--debug"] if "--debug" in sys.argv else []
        sys.exit(launch([*debug, "fit", *([config] if config else []), *given, *written], workers=workers))

    from trainkit.deploy.check import check_exports
    from trainkit.training import fit as train

    if loaded is not None:
        check_exports(loaded)
    train(loaded, () if loaded else given, runs=runs, resume=resume, force=force, profile=profile)

"""The arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE",
        help="Values that win over the file: training.epochs=3, model.layers.digit.units=64.",
        show_default=False,
    ),
]


def _permit(allowed: bool) -> None:
    if allowed:
        from trainkit.config import permit_code

        permit_code()


AllowCode = Annotated[
    bool,
    typer.Option("--allow-code", callback=_permit, help="Let the Python file of `custom_code` run. Read it first."),
]
DataConfig = Annotated[
    Path | None,
    typer.Option("--data", metavar="CONFIG", help="For a model made elsewhere: a YAML file with its `data`."),
]
ModelPath = Annotated[
    Path,
    typer.Argument(
        metavar="RUN_OR_FILE",
        help="A run, a directory of runs (the newest), or a .keras, .h5, .tkz, .tflite, .onnx file or SavedModel.",
        show_default=False,
    ),
]

"""`trainkit deploy`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode, DataConfig


def deploy(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run directory, or a directory of runs: the newest. Or a .keras or .h5 file, with --data.",
            show_default=False,
        ),
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Keys of `deploy.`: 'deploy.export=[ONNX]'.", show_default=False),
    ] = None,
    data: DataConfig = None,
    explain: Annotated[bool, typer.Option("--explain", help="Tell what int8 costs each layer, and why.")] = False,
    allow_code: AllowCode = False,
) -> None:
    """Export the model of RUN, run every file, and prove that it answers like the model."""
    from trainkit.runs import Run

    subject = run if data or run.is_file() else Run.open(run).directory  # errors before TensorFlow is imported

    from trainkit.deploy.deploy import deploy as export

    export(subject, overrides or (), data=data, explain=explain)

"""`trainkit deploy`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def deploy(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="A run directory, or a directory of runs: the newest.", show_default=False),
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Keys of `deploy.`: 'deploy.export=[ONNX]'.", show_default=False),
    ] = None,
) -> None:
    """Export the model of RUN, run every file, and prove that it answers like the model."""
    from trainkit.runs import Run

    opened = Run.open(run)

    from trainkit.deploy import deploy as export

    export(opened.directory, overrides or ())

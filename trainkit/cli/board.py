"""`trainkit board`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def board(
    runs: Annotated[Path, typer.Argument(metavar="[RUNS]", help="A run, or a directory of runs.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens; 0 takes a free port.")] = 6006,
    host: Annotated[str, typer.Option(help="The address that it listens at.")] = "127.0.0.1",
) -> None:
    """Show the runs in RUNS in TensorBoard, until it is stopped."""
    from threading import Event

    from trainkit.runs.board import open_board

    with open_board(runs, host=host, port=port) as address:
        print(f"TensorBoard on {runs}: {address} (Ctrl-C ends it)", flush=True)
        Event().wait()

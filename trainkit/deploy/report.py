"""What `deploy` tells a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainkit.deploy.verify import FileReport, Proof
from trainkit.training.log import say


def print_report(console: Console, proof: Proof, files: Sequence[FileReport], directory: Path) -> None:
    """Show a row for each file, and where they stand."""
    table = Table(
        title=f"on {proof.samples:,} samples", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False
    )
    table.add_column("file", overflow="fold")
    for column in ("bytes", "gzipped", "accuracy", "drop", "agree", "verdict"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row("model.keras", "", "", _share(proof.accuracy))
    for file in files:
        table.add_row(
            Text(file.file),
            f"{file.bytes:,}",
            f"{file.gzip_bytes:,}",
            _share(file.accuracy),
            "" if file.drop_points is None else f"{file.drop_points:.2f}",
            _share(file.parity.agreement),
            "ok" if file.parity.passed else "FAIL",
        )
    console.print(table)
    console.print("drop: accuracy lost, in points; agree: answers equal to the model's", style="dim")
    say(console, f"files: {directory}")


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"

"""How the benchmarks that draw save what they drew."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure


def save_picture(figure: Figure, filepath: Path) -> None:
    """Save it: an .svg is small, its text is text, and it is the same each time that it is drawn."""
    with matplotlib.rc_context({"svg.hashsalt": filepath.stem, "svg.fonttype": "none"}):
        figure.savefig(filepath, metadata={"Date": None} if filepath.suffix == ".svg" else None)

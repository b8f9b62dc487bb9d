"""Class names beside a .tflite, as the example apps read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trainkit.errors import InputError
from trainkit.runs import write_text


def write_labels(filepath: Path, classes: Sequence[str]) -> None:
    """Write class names, a line each, in the order of their ids.

    Raises:
        InputError: If a name would be more than a line.
        OutputError: If the file cannot be written.
    """
    for name in classes:
        if len(f"{name}.".splitlines()) != 1:
            raise InputError(f"a class name must be one line of text. Received: {name!r}.")
    write_text(filepath, "".join(f"{name}\n" for name in classes))

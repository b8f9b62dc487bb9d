"""Class names beside a .tflite, as the example apps read them, and inside of exported files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from trainkit.errors import InputError
from trainkit.runs import write_text


def label_files(outputs: Iterable[str]) -> dict[str, str]:
    """The name of the file with the class names, by output.

    Args:
        outputs: Those that are classes.

    Example:
        >>> label_files(["digit"])
        {'digit': 'labels.txt'}
        >>> label_files(["kind", "colour"])
        {'kind': 'labels_kind.txt', 'colour': 'labels_colour.txt'}
    """
    names = list(outputs)
    return {name: "labels.txt" if len(names) == 1 else f"labels_{name}.txt" for name in names}


def labels_text(classes: Sequence[str]) -> str:
    """Class names, a line each, in the order of their ids.

    Raises:
        InputError: If a name would be more than a line.
    """
    for name in classes:
        if len(f"{name}.".splitlines()) != 1:
            raise InputError(f"a class name must be one line of text. Received: {name!r}.")
    return "".join(f"{name}\n" for name in classes)


def write_labels(filepath: Path, classes: Sequence[str]) -> None:
    """Write class names, a line each, in the order of their ids.

    Raises:
        InputError: If a name would be more than a line.
        OutputError: If the file cannot be written.
    """
    write_text(filepath, labels_text(classes))

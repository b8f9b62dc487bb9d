"""Files that a command is asked to write."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from trainkit.errors import InputError, OutputError


def check_output(filepath: Path | None, suffixes: Collection[str], *, name: str = "output") -> None:
    """Refuse a file that could not be written, before the work begins; None is no file. `name` is that of the option.

    Raises:
        InputError: If it ends with none of `suffixes`.
        OutputError: If it is a folder, or its own does not exist or is not to be written to.
    """
    if filepath is None:
        return
    if filepath.suffix not in suffixes:
        raise InputError(f"`{name}` must end with {' or '.join(suffixes)}. Received: {str(filepath)!r}.")
    folder = filepath.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"{filepath} cannot be written: there is no folder {folder}.")
    if filepath.is_dir():
        raise OutputError(f"{filepath} cannot be written: it is a folder.")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{filepath} cannot be written: {folder} lets nobody write to it.")

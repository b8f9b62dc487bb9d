"""`preprocess.json`: what an app does to raw columns before a file that cannot do it itself."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from trainkit.inference.preprocess import FILE_NAME, Preprocess
from trainkit.runs import write_json


def write_preprocess(filepath: Path, preprocess: Preprocess | None) -> None:
    """Name a file in the `preprocess.json` beside it, which files that take the same columns share.

    Args:
        filepath: The file.
        preprocess: What is done before it; None takes its name out.

    Raises:
        OutputError: If it cannot be written.
    """
    beside = filepath.with_name(FILE_NAME)
    old = _read(beside)
    others = tuple(name for name in old.files if name != filepath.name) if old else ()
    if preprocess is not None:
        shared = others if old and old.inputs == preprocess.inputs else ()
        write_json(beside, replace(preprocess, files=(*shared, filepath.name)).to_json())
    elif old and others != old.files:
        write_json(beside, replace(old, files=others).to_json())


def take_preprocess(filepath: Path, directory: Path) -> None:
    """Name a file in the `preprocess.json` beside it, if one in another directory names it.

    Raises:
        OutputError: If it cannot be written.
    """
    found = _read(directory / FILE_NAME)
    if found is not None and filepath.name in found.files:
        write_preprocess(filepath, found)


def _read(filepath: Path) -> Preprocess | None:
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):  # one that is damaged is written anew
        return Preprocess.from_json(json.loads(filepath.read_text(encoding="utf-8")))
    return None

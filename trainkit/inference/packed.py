"""What TrainKit has put into a model file besides the model."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

FACTS = "trainkit.json"
"""Where a model comes from, how its inputs are made, what its outputs say; packed into a .tflite or a SavedModel."""
EXTRA = "assets.extra"
"""Where users of TensorFlow put what the graph of a SavedModel does not load."""

_DAMAGED = (OSError, EOFError, ValueError, LookupError, AttributeError, RuntimeError, zipfile.BadZipFile)


def read_packed(filepath: Path) -> dict[str, str]:
    """The facts in a .tflite or a SavedModel, as texts: what is none is written as JSON.

    Returns:
        Nothing where TrainKit has not written the file.
    """
    try:
        told = json.loads(_read_text(filepath))
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in told.items()}
    except _DAMAGED:
        return {}


def _read_text(filepath: Path) -> str:
    if filepath.is_dir():
        return (filepath / EXTRA / FACTS).read_text(encoding="utf-8")
    with zipfile.ZipFile(filepath) as archive:
        entry = archive.getinfo(FACTS)
        if entry.compress_type != zipfile.ZIP_STORED:  # ours are: a stranger's few bytes may unpack to gigabytes
            raise ValueError(f"{FACTS} is compressed")
        return archive.read(entry).decode()

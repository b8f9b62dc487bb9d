"""By what a file is known again."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(filepath: Path) -> str:
    """The sha256 of a file's content, 64 hexadecimal digits; the file is read in pieces."""
    with filepath.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

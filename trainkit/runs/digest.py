"""By what a file is known again."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(filepath: Path) -> str:
    """The sha256 of a file's content, 64 hexadecimal digits; the file is read in pieces.

    That of a directory is the sha256 of what `sha256sum` prints of its files, in the order of `files_of`.
    """
    if not filepath.is_dir():
        with filepath.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    lines = [f"{sha256_of(path)}  {path.relative_to(filepath).as_posix()}\n" for path in files_of(filepath)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def files_of(filepath: Path) -> list[Path]:
    """A file itself; of a directory all files below it, sorted by their paths in it."""
    if not filepath.is_dir():
        return [filepath]
    found = [path for path in filepath.rglob("*") if path.is_file()]
    return sorted(found, key=lambda path: path.relative_to(filepath).as_posix())

"""Folders of images, without what systems and programs leave in them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from trainkit.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp")
_JUNK = ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir")


class Found(NamedTuple):
    """What is in a folder, sorted by path, character by character: the same everywhere."""

    folders: list[Path]
    files: list[Path]


def is_image(filepath: Path) -> bool:
    """Whether a file is an image by its suffix."""
    return filepath.suffix.lower() in SUFFIXES


def look_into(folder: Path) -> Found:
    """List a folder, without hidden files and the like.

    Raises:
        DataError: If it cannot be listed.
    """
    found = Found([], [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name.lower() not in _JUNK:
                    (found.folders if entry.is_dir() else found.files).append(folder / entry.name)
    except OSError as error:
        raise DataError(f"{folder} must be a folder that can be read. Received: {error.strerror}.") from error
    return Found(sorted(found.folders, key=Path.as_posix), sorted(found.files, key=Path.as_posix))


def files_below(folder: Path, above: tuple[str, ...] = ()) -> list[Path]:
    """All files of a folder and its sub-folders, sorted by path; links are followed.

    Args:
        folder: Where to look.
        above: The real paths of the folders on the way here.

    Raises:
        DataError: If a folder cannot be listed, or leads back to one that it is in.
    """
    real = os.path.realpath(folder)
    if real in above:
        raise DataError(f"{folder} must not lead back to a folder that it is in. Received: a link to {real}.")
    folders, files = look_into(folder)
    nested = [filepath for inner in folders for filepath in files_below(inner, (*above, real))]
    return sorted([*files, *nested], key=Path.as_posix)

"""Images and their classes in a text file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainkit.data.columns import ArrayColumn
from trainkit.data.fields import Field
from trainkit.data.images.class_names import class_names, listed
from trainkit.data.images.files import ImageFiles
from trainkit.data.records import Records, Source, Splits
from trainkit.errors import DataError, shown


class Listed(NamedTuple):
    """A line of a list: its number, from 1, the image and its class."""

    line: int
    image: Path
    label: str


def image_list(
    *,
    train: Path,
    validation: Path | None = None,
    test: Path | None = None,
    root: Path | None = None,
    classes: list[str] | None = None,
) -> Source:
    """Images and their classes in a text file, `path class` a line.

    The class is the last word; the path may contain spaces. Empty lines and lines that begin with `#` do not count.

    Args:
        train: The list of the training images, in UTF-8.
        validation: The list of the validation images.
        test: The list of the test images.
        root: The folder that the paths start from; by default the folder of their list.
        classes: Names of the classes in the order of their ids; by default those of the training images, sorted.

    Returns:
        Columns `image` and `label` of each part; an image that does not exist makes its row a bad one.

    Raises:
        DataError: If a list cannot be read, a line has no class or an unknown one, or an image has two classes.
    """
    lists = {"train": train, "validation": validation, "test": test}
    given = {part: filepath for part, filepath in lists.items() if filepath is not None}
    parts = {part: _read_list(filepath, root or filepath.parent) for part, filepath in given.items()}
    if classes is not None:
        _check_labels(train, parts["train"], tuple(classes))
    names = class_names({row.label for row in parts["train"]}, classes, place=str(train))
    for part, rows in parts.items():
        _check_labels(given[part], rows, names)
    records = {part: _make_records(given[part], rows, root, names) for part, rows in parts.items()}
    return Splits(records["train"], records.get("validation"), records.get("test"))


def _read_list(filepath: Path, root: Path) -> list[Listed]:
    lines = enumerate(_read_text(filepath).split("\n"), start=1)
    stripped = [(number, line.strip()) for number, line in lines]
    rows = [_parse(filepath, number, line, root) for number, line in stripped if line and not line.startswith("#")]
    if not rows:
        raise DataError(f"{filepath} must list an image and its class on each line. Received: no image.")
    first: dict[str, Listed] = {}
    for row in rows:
        before = first.setdefault(os.path.normpath(row.image), row)
        if before.label != row.label:
            raise DataError(
                f"{filepath}:{row.line}: {row.image} must have one class. Received: {shown(row.label)}, and "
                f"{shown(before.label)} in line {before.line}."
            )
    return rows


def _read_text(filepath: Path) -> str:
    try:
        content = filepath.read_bytes()
    except OSError as error:
        raise DataError(f"{filepath} must be a text file that can be read. Received: {error.strerror}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        came = error.object[error.start : error.start + 1]
        raise DataError(f"{filepath}:{line}: must be text in UTF-8. Received: {came!r}. Save it as UTF-8.") from error


def _parse(filepath: Path, number: int, line: str, root: Path) -> Listed:
    words = line.rsplit(maxsplit=1)
    if len(words) < 2:
        raise DataError(f"{filepath}:{number}: must be a path and a class. Received: {shown(line)}.")
    return Listed(number, root / words[0], words[1])


def _check_labels(filepath: Path, rows: list[Listed], names: tuple[str, ...]) -> None:
    known = set(names)
    for row in rows:
        if row.label not in known:
            raise DataError(
                f"{filepath}:{row.line}: must be of a class of the training images: {listed(names)}. Received: "
                f"{shown(row.label)}."
            )


def _make_records(filepath: Path, rows: list[Listed], root: Path | None, names: tuple[str, ...]) -> Records:
    files = ImageFiles([row.image for row in rows], root or filepath.parent)
    lines = [row.line for row in rows]
    bad = {
        index: f"{filepath.name}, line {row.line}: {files.original(index)} must be an image file. Received: "
        f"{'a folder' if row.image.is_dir() else 'no such file'}."
        for index, row in enumerate(rows)
        if not row.image.is_file()
    }
    label = ArrayColumn(
        np.array([row.label for row in rows]),
        Field((), "string", names),
        origin=lambda row: f"{filepath.name}, line {lines[row]}",
    )
    return Records({"image": files, "label": label}, target="label", bad=bad)

"""Images in one folder for each class."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from trainkit.data.columns import ArrayColumn
from trainkit.data.fields import Field
from trainkit.data.images.class_names import class_names, listed
from trainkit.data.images.files import ImageFiles
from trainkit.data.images.walk import SUFFIXES, files_below, is_image, look_into
from trainkit.data.records import Records, Source, Splits
from trainkit.errors import DataError

PARTS = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation", "test": "test"}
"""The part of a data set that a folder of this name holds."""

_LIKE_PARTS = (*PARTS, "training", "dev", "testing")
_KINDS = ", ".join(suffix for suffix in SUFFIXES)
_IN_TRAIN = "If it is a class, move all class folders into a folder `train`."

Classes = Mapping[str, list[Path]]
"""The files of each class."""


def image_folder(*, path: Path, classes: list[str] | None = None) -> Source:
    """Images in one folder for each class: `path/train/CLASS/…`, or `path/CLASS/…`.

    Beside `train` there may be `validation` (or `val`, `valid`) and `test`. Sub-folders of a class belong to it. Hidden
    files and what systems leave behind (`Thumbs.db`, `__MACOSX`) do not count.

    Args:
        path: The folder.
        classes: Names of the classes in the order of their ids; by default the class folders' names, sorted.

    Returns:
        Columns `image` and `label` of each part that there is.

    Raises:
        DataError: If the folders are no such data set: the message names the folder or file.
    """
    parts = {part: _find_classes(folder) for part, folder in _find_parts(path).items()}
    names = _names(path, parts["train"], classes)
    _check_files(path, parts)
    for part, found in parts.items():
        _check_classes(path, part, found, names)
    records = {part: _make_records(path, found, names) for part, found in parts.items()}
    return Splits(records["train"], records.get("validation"), records.get("test"))


def _find_parts(path: Path) -> dict[str, Path]:
    """The folder of each part: `path` itself, where it holds classes."""
    if not path.is_dir():
        came = "a file" if path.is_file() else "no such folder"
        raise DataError(f"{path} must be a folder with a folder of images for each class. Received: {came}.")
    folders = look_into(path).folders
    like_parts = [folder for folder in folders if folder.name.lower() in _LIKE_PARTS]
    if not like_parts:
        return {"train": path}
    if len(like_parts) < len(folders):
        others = [folder.name for folder in folders if folder not in like_parts]
        raise DataError(
            f"{path} must hold either `train` (and `validation`, `test`) or class folders. Received: "
            f"{like_parts[0].name!r} beside {listed(others)}. {_IN_TRAIN}"
        )
    return _name_parts(path, folders)


def _name_parts(path: Path, folders: list[Path]) -> dict[str, Path]:
    parts: dict[str, Path] = {}
    for folder in folders:
        part = PARTS.get(folder.name)
        if part is None:
            raise DataError(f"{folder} must be called `train`, `validation` or `test`. Rename it. {_IN_TRAIN}")
        if part in parts:
            raise DataError(
                f"{path} must hold one folder to validate. Received: {parts[part].name!r}, {folder.name!r}."
            )
        parts[part] = folder
    if "train" not in parts:
        raise DataError(
            f"{path} must hold a folder `train`. Received: {listed([f.name for f in folders])}. {_IN_TRAIN}"
        )
    return {part: parts[part] for part in ("train", "validation", "test") if part in parts}


def _find_classes(folder: Path) -> Classes:
    folders, loose = look_into(folder)
    if loose:
        raise DataError(
            f"{folder} must hold nothing but class folders. Received: {_files(loose, folder)}. Move them into the "
            "folder of their class, or remove them."
        )
    if not folders:
        raise DataError(f"{folder} must hold a folder of images for each class. Received: an empty folder.")
    return {inner.name: files_below(inner) for inner in folders}


def _check_files(path: Path, parts: Mapping[str, Classes]) -> None:
    """Refuse files that are no images by their suffix."""
    files = [filepath for found in parts.values() for inner in found.values() for filepath in inner]
    others = [filepath for filepath in files if not is_image(filepath)]
    if others:
        raise DataError(
            f"{path} must hold nothing but images ({_KINDS}) in its class folders. Received: {_files(others, path)}. "
            "Convert or remove them."
        )


def _names(path: Path, train: Classes, classes: list[str] | None) -> tuple[str, ...]:
    cure = " If the class folders are in it, name it in `path`." if len(train) == 1 else ""
    names = class_names(train, classes, place=str(path), cure=cure)
    absent = [name for name in names if name not in train]
    if absent:
        raise DataError(f"`classes` must name the class folders of {path} only. Received: {listed(absent)} too.")
    unwritable = [name for name in names if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name)]
    if unwritable:
        raise DataError(f"{path} must have class folders whose names can be printed. Received: {listed(unwritable)}.")
    return names


def _check_classes(path: Path, part: str, found: Classes, names: tuple[str, ...]) -> None:
    """Refuse a class without images, and one that was not learned."""
    unknown = [name for name in found if name not in names]
    if unknown:
        raise DataError(f"{path}: `{part}` must hold classes of `train` only. Received: {listed(unknown)} too.")
    empty = [name for name in names if not found.get(name)]
    if empty:
        came = "no folder for" if empty[0] not in found else "no image in the folder of"
        raise DataError(f"{path}: `{part}` must hold images of every class. Received: {came} {listed(empty)}.")


def _make_records(path: Path, found: Classes, names: tuple[str, ...]) -> Records:
    labelled = sorted((filepath.as_posix(), name) for name, inner in found.items() for filepath in inner)
    files = ImageFiles([Path(filepath) for filepath, _ in labelled], root=path)
    labels = np.array([name for _, name in labelled])
    label = ArrayColumn(labels, Field((), "string", names), origin=files.original)
    return Records({"image": files, "label": label}, target="label")


def _files(files: list[Path], folder: Path) -> str:
    count = "1 other file" if len(files) == 1 else f"{len(files):,} other files"
    return f"{count}, {listed([filepath.relative_to(folder).as_posix() for filepath in files])}"

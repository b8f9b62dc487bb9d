"""What a user hands to `predict`: image files, folders, tables, arrays -> batches of inputs."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from trainkit.data import ArrayColumn, Description, InputDescription
from trainkit.data.array_sequences import SUFFIX
from trainkit.data.csv_columns import make_records
from trainkit.data.csv_table import DELIMITERS, read_table
from trainkit.data.images import ImageError, read_image
from trainkit.data.images.walk import files_below, is_image
from trainkit.errors import InputError
from trainkit.inference.sample_arrays import SampleColumn, make_columns, read_arrays, samples_at

BATCH_SIZE = 256
BATCH_BYTES = 200_000_000


@dataclass(frozen=True)
class Samples:
    """Some samples.

    Args:
        names: What each is called: its file, or its file and row.
        inputs: By input name, shape `(samples, …)`; without those in `unreadable`.
        unreadable: Names of samples that cannot be read, with the reason.
    """

    names: list[str]
    inputs: dict[str, np.ndarray]
    unreadable: dict[str, str]


def read_samples(description: Description, paths: Sequence[Path]) -> Iterator[Samples]:
    """Read samples in batches, in the order of the paths.

    Args:
        description: How the inputs are made.
        paths: Image files and folders of them; CSV files with a column for each that the inputs are made of; .npy
            files with an array of samples for the one input; .npz files with an array for each input.

    Raises:
        InputError: If a path is none of these, or does not fit the inputs.
        DataError: If a table cannot be read.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"`inputs` must be files or folders. Received: {str(path)!r}, which does not exist.")
    for suffix, alike in groupby(paths, key=_table_or_arrays):
        match suffix:
            case ".csv" | ".tsv":
                for filepath in alike:
                    yield from _read_csv(filepath, description)
            case ".npy" | ".npz":
                for filepath in alike:
                    yield from _read_arrays(filepath, description)
            case _:
                yield from _read_images([file for path in alike for file in _images_below(path)], description)


def _table_or_arrays(path: Path) -> str:
    """The suffix of a file with many samples; else it is an image, or a folder of them."""
    suffix = path.suffix.lower()
    return suffix if suffix in (".csv", ".tsv", ".npy", ".npz") and not path.is_dir() else ""


def _images_below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return [folder]
    found = [filepath for filepath in files_below(folder) if is_image(filepath)]
    if not found:
        raise InputError(f"`inputs` must be folders with images. Received: {str(folder)!r}, which has none.")
    return found


def _read_images(files: Sequence[Path], description: Description) -> Iterator[Samples]:
    name, one = _only_input(description, "an image file")
    if (spec := one.image) is None:
        told = f"the input {name!r} is no image: the model takes {_wanted(description)}"
        raise InputError(f"{told}. Received: {str(files[0])!r}.")
    size = max(1, min(BATCH_SIZE, BATCH_BYTES // (4 * math.prod(spec.shape))))
    for start in range(0, len(files), size):
        batch = files[start : start + size]
        images, unreadable = [], {}
        for filepath in batch:
            try:
                images.append(read_image(filepath, spec).astype(one.dtype))
            except ImageError as error:
                unreadable[_shown(filepath)] = str(error)
        inputs = {name: np.stack(images)} if images else {}
        yield Samples([_shown(filepath) for filepath in batch], inputs, unreadable)


def _shown(filepath: Path) -> str:
    """A path as text; a byte of it that is not UTF-8 could not be printed."""
    return os.fsencode(filepath).decode(errors="backslashreplace")


def _read_csv(filepath: Path, description: Description) -> Iterator[Samples]:
    needed = {column: one.dtype for one in description.inputs.values() for column in one.columns}
    if not _takes_table(description):
        raise InputError(f"the model is for no table: it takes {_wanted(description)}. Received: {str(filepath)!r}.")
    table = read_table(filepath, delimiter=_delimiter(filepath, needed))
    if missing := [column for column in needed if column not in table.names]:
        raise InputError(f"{filepath} must have the columns {', '.join(needed)}. Received: no {missing[0]!r}.")
    texts = [column for column in table.names if needed.get(column, "string") == "string"]
    is_kept = any(one.missing for one in description.inputs.values())
    records = make_records(table, texts=texts, missing="keep" if is_kept else "fail")
    columns = {name: records.columns[name] for name in needed}
    inputs = {
        name: ArrayColumn(np.stack([np.asarray(columns[column].array) for column in one.columns], axis=1))
        for name, one in description.inputs.items()
    }
    original = next(iter(columns.values())).original
    bad = {row: reason for column in columns.values() for row, reason in column.bad()}
    ragged = {row: reason.removeprefix(f"{original(row)}: ") for row, reason in records.bad.items()}
    yield from _in_batches(inputs, original, bad=bad | ragged)


def _delimiter(filepath: Path, needed: Mapping[str, str]) -> str:
    """The delimiter that finds most of the columns that are needed in the first line."""
    try:
        with filepath.open(encoding="utf-8-sig", errors="replace") as stream:
            header = stream.readline()
    except OSError as error:
        raise InputError(f"{filepath} cannot be read: {error.strerror}.") from error
    names = {delimiter: {name.strip().strip('"') for name in header.split(delimiter)} for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: (len(names[delimiter] & needed.keys()), len(names[delimiter])))


def _read_arrays(filepath: Path, description: Description) -> Iterator[Samples]:
    held = read_arrays(filepath)
    if list(held) == [""]:
        held = {_only_input(description, "a .npy file")[0]: held[""]}
    columns = make_columns(held, description, filepath)
    bad = {row: f"{name!r} {reason}" for name, column in columns.items() for row, reason in column.bad()}
    yield from _in_batches(columns, lambda row: f"{filepath.name}, row {row}", bad=bad)


def _in_batches(
    columns: Mapping[str, SampleColumn], original: Callable[[int], str], *, bad: Mapping[int, str]
) -> Iterator[Samples]:
    rows = len(next(iter(columns.values())))
    for start in range(0, rows, BATCH_SIZE):
        here = range(start, min(start + BATCH_SIZE, rows))
        good = [row for row in here if row not in bad]
        inputs = {name: samples_at(column, good) for name, column in columns.items()} if good else {}
        yield Samples([original(row) for row in here], inputs, {original(row): bad[row] for row in here if row in bad})


def _only_input(description: Description, what: str) -> tuple[str, InputDescription]:
    if len(description.inputs) != 1:
        raise InputError(f"{what} is one input; the model takes {_wanted(description)}.")
    return next(iter(description.inputs.items()))


def _takes_table(description: Description) -> bool:
    """Whether each input is made of single numbers or texts, a column each."""
    return all(one.columns and one.shape == (len(one.columns),) for one in description.inputs.values())


def _wanted(description: Description) -> str:
    if _takes_table(description):
        columns = [column for one in description.inputs.values() for column in one.columns]
        return f"a CSV file with the columns {', '.join(columns)}"
    if any(one.image for one in description.inputs.values()) and len(description.inputs) == 1:
        return "image files"
    sequences = {name for name, one in description.inputs.items() if None in one.shape}
    arrays = [item for name in description.inputs for item in (name, *([name + SUFFIX] if name in sequences else []))]
    return f"a .npz file with the arrays {', '.join(arrays)}"

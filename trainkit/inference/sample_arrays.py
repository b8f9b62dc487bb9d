"""The arrays of a file that a user hands to `predict` -> a column for each input."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from trainkit.data import ArrayColumn, Description, InputDescription
from trainkit.data.array_files import SEQUENCES_CURE, Stored
from trainkit.data.array_sequences import with_lengths
from trainkit.data.sequence_column import SequenceColumn
from trainkit.errors import InputError

_DAMAGED = (
    *(MemoryError, OSError, ValueError, EOFError, LookupError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)

SampleColumn = ArrayColumn | SequenceColumn
"""What an input is made of."""


def read_arrays(filepath: Path) -> dict[str, np.ndarray]:
    """Read an .npy or .npz file.

    Returns:
        The arrays by name; the one of an .npy file is called `""`.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        with filepath.open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            return {"": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except _DAMAGED as error:
        raise InputError(f"{filepath} must be a whole {filepath.suffix} file of arrays. {_reason(error)}.") from error


def make_columns(held: Mapping[str, np.ndarray], description: Description, filepath: Path) -> dict[str, SampleColumn]:
    """Find the samples of each input: the array of its name, or of the column that it was trained on.

    Args:
        held: Arrays by name; `x_lengths` beside `x` says how many steps each of its samples has.
        description: How the inputs are made.
        filepath: Where the arrays were read.

    Raises:
        InputError: If an array is missing, or they have not one sample or more, as many each.
        DataError: If lengths do not count the steps that there are.
    """
    stored = with_lengths({name: Stored(array, f"{filepath}, {name}") for name, array in held.items()})
    columns = {}
    for name, one in description.inputs.items():
        known = next((key for key in (name, *one.columns) if key in stored), None)
        if known is None or (known != name and len(one.columns) > 1):
            told = f"must hold the arrays {', '.join(description.inputs)}. Received: {', '.join(stored) or 'none'}"
            raise InputError(f"{filepath} {told}: no {name!r}.")
        columns[name] = _make_column(stored[known], one)
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1 or 0 in sizes.values():
        raise InputError(f"arrays must have one sample or more, as many each. Received: samples={sizes}.")
    return columns


def samples_at(column: SampleColumn, rows: list[int]) -> np.ndarray:
    """The samples at some rows of a column, shape `(samples, …)`."""
    return column.padded(np.array(rows)) if isinstance(column, SequenceColumn) else column.array[rows]


def _make_column(stored: Stored, one: InputDescription) -> SampleColumn:
    """The samples of an input; sequences are padded as those of the training were."""
    if stored.lengths is None:
        array = stored.array if stored.array.ndim else stored.array.reshape(1)[:0]  # no sample
        return ArrayColumn(array, missing=one.missing)
    column = SequenceColumn(stored.array, stored.lengths, origin=stored.place)
    if len(one.shape) == len(column.field.shape) + 1:
        column = column.with_features()
    return column if one.padding is None else column.with_field(padding=one.padding)


def _reason(error: Exception) -> str:
    if str(error).startswith("Object arrays cannot be loaded"):
        return f"Received: Python objects, which could run code. {SEQUENCES_CURE.removesuffix('.')}"
    return f"Received: {str(error).split('. ')[0].rstrip('.') or type(error).__name__}"

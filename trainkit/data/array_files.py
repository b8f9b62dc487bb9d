"""The readers of NumPy's files, .npz and .npy: arrays of numbers or texts, one row a sample."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from trainkit.errors import DataError

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_NPY = (b"\x93NUMPY",)
_DAMAGED = (ValueError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
_AGAIN = "Write it again."
_CURES = {
    "c": "Store its real and its imaginary part, or its magnitude.",
    "S": "Store it as text: `array.astype(str)`.",
    "M": "Store a number: `array.astype('int64')`.",
    "m": "Store a number: `array.astype('int64')`.",
    "V": "Store each of its fields as an array of its own.",
}
"""Kinds of dtypes that are neither numbers nor texts."""
SEQUENCES_CURE = (
    "Samples of different lengths go into an .npz file one after the other, with their lengths: "
    "`lengths = [len(sample) for sample in samples]`, then "
    "`np.savez(filename, x=np.concatenate(samples), x_lengths=lengths, y=labels)`."
)


class Stored(NamedTuple):
    """An array, and where it was read: `mnist.npz, x_train`; of sequences, how many steps each sample has."""

    array: np.ndarray
    place: str
    lengths: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.array if self.lengths is None else self.lengths)


def read_npz(filepath: Path) -> dict[str, Stored]:
    """Read all arrays of an .npz file, compressed or not.

    Args:
        filepath: The file.

    Returns:
        The arrays by name, at least one: bool as int8, float64 as float32, all else with the dtype it is stored in.

    Raises:
        DataError: If it is missing, damaged or no .npz file, or an array is empty or holds no numbers or texts.
    """
    with _opened(filepath, "an .npz file", _ZIP) as stream, np.load(stream, allow_pickle=False) as archive:
        stored = {}
        for name in archive.files:
            with _readable(f"{filepath}, {name}"):
                stored[name] = Stored(_checked(archive[name], f"{filepath}, {name}"), f"{filepath.name}, {name}")
    if not stored:
        raise DataError(f"{filepath} must hold at least one array. Received: none. {_AGAIN}")
    return stored


def read_npy(filepath: Path) -> Stored:
    """Read an .npy file.

    Args:
        filepath: The file.

    Returns:
        The array: bool as int8, float64 as float32, all else with the dtype it is stored in.

    Raises:
        DataError: If it is missing, damaged or no .npy file, or its array is empty or holds no numbers or texts.
    """
    with _opened(filepath, "an .npy file", _NPY) as stream, _readable(str(filepath)):
        array = np.load(stream, allow_pickle=False)
        if stream.read(1):
            raise DataError(f"{filepath} must hold one array. Received: more behind it. {_AGAIN}")
    return Stored(_checked(array, str(filepath)), filepath.name)


@contextmanager
def _opened(filepath: Path, kind: str, magics: tuple[bytes, ...]) -> Iterator[BinaryIO]:
    """The file as a stream, once its first bytes say that it is of a kind."""
    try:
        if not filepath.is_file():
            raise _refusal(filepath, kind, "a directory" if filepath.is_dir() else "no such file", "Check the path.")
        with filepath.open("rb") as stream:
            start = stream.read(6)
            stream.seek(0)
            if not start.startswith(magics):
                came = f"a file that begins with {start!r}" if start else "an empty file"
                raise _refusal(filepath, kind, came, "Check that this is the file you meant.")
            yield stream
    except DataError:
        raise
    except _DAMAGED as error:
        raise _refusal(filepath, kind, f"a damaged one ({error})", _AGAIN) from error
    except OSError as error:
        raise _refusal(filepath, kind, error.strerror or str(error), "Check the file.") from error


@contextmanager
def _readable(place: str) -> Iterator[None]:
    """Say which array cannot be read."""
    try:
        yield
    except DataError:
        raise
    except _DAMAGED as error:
        if isinstance(error, ValueError) and "pickle" in str(error):
            raise DataError(
                f"{place} must hold numbers or texts. Received: Python objects, which could run code. Store rows of "
                f"one length, with a dtype of numbers, or texts as `np.array(texts, dtype=str)`. {SEQUENCES_CURE}"
            ) from error
        raise DataError(f"{place} must hold an array. Received: a damaged one ({error}). {_AGAIN}") from error


def _checked(array: np.ndarray | bytes, place: str) -> np.ndarray:
    if isinstance(array, bytes):  # what NumPy makes of a file in the archive that holds no array
        raise DataError(f"{place} must hold an array. Received: a file of another kind. Leave it out.")
    if array.dtype.kind not in "biufU":
        cure = _CURES.get(array.dtype.kind, "")
        raise DataError(f"{place} must hold numbers or texts. Received: the dtype {array.dtype}. {cure}".rstrip())
    if not array.ndim or not array.size:
        raise DataError(
            f"{place} must hold at least one sample, its first axis counts them. Received: the shape {array.shape!r}."
        )
    if array.dtype.kind == "b":
        return array.astype(np.int8)
    if array.dtype.kind == "f" and array.dtype.itemsize > 4:
        with np.errstate(over="ignore"):  # becomes infinite, and so reported
            return array.astype(np.float32)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _refusal(filepath: Path, kind: str, came: str, cure: str) -> DataError:
    return DataError(f"{filepath} must be {kind}, as NumPy writes it. Received: {came}. {cure}")

"""An array as bytes, in the cheapest of several lossless ways."""

from __future__ import annotations

import lzma
from collections.abc import Sequence
from math import prod

import numpy as np

from trainkit.coding.content import DamagedError, Reader, write_number
from trainkit.coding.grid import find_grid
from trainkit.coding.integers import decode_integers, encode_integers, room_of

DTYPES = (
    *("float32", "float16", "float64", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)
"""What arrays may hold; their places in this list are part of the format."""
MOST_AXES = 8
MOST_VALUES = 2**28
"""Values of all arrays of a file: what a reader makes room for."""
MOST_CODED = 2**23
"""Values of an array whose integers are coded one by one, which takes some microseconds each."""
MOST_SHARED = 4096
"""Distinct values of an array that are worth a table."""

_STORED, _PLANES, _CONSTANT, _GRID, _CODEBOOK = range(5)
_FILTERS = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 22, "lc": 3, "lp": 0, "pb": 0}]


def write_tensor(values: np.ndarray, *, geometry: Sequence[int] | None = None) -> bytes:
    """Write an array, every bit of it.

    Args:
        values: Of a dtype in `DTYPES`.
        geometry: What the inputs of a dense kernel were before they were made flat, `(height, width, channels)`.

    Returns:
        The content; it tells its length.

    Raises:
        ValueError: If the dtype or the number of axes is not known.
    """
    if values.dtype.name not in DTYPES or values.ndim > MOST_AXES:
        raise ValueError(f"{values.dtype.name} values of {values.ndim} axes cannot be written.")
    kind, content = _cheapest(values, geometry)
    head = kind | (geometry is not None) << 3 | DTYPES.index(values.dtype.name) << 4
    numbers = [values.ndim, *values.shape, *(geometry or ()), len(content)]
    return bytes([head]) + b"".join(map(write_number, numbers)) + content


def without_sign(values: np.ndarray) -> np.ndarray:
    """The same values, but for -0, which is 0: pruning leaves both."""
    return values + np.zeros((), values.dtype) if values.dtype.kind == "f" else values


def read_tensor(reader: Reader, most: int) -> np.ndarray:
    """Read an array that `write_tensor` wrote.

    Args:
        reader: Stands where it begins.
        most: Values that it may have: no room is made for more.

    Raises:
        DamagedError: If it cannot be what was written.
    """
    head = reader.take(1)[0]
    kind, dtype = head & 7, head >> 4
    if kind not in _READERS or dtype >= len(DTYPES):
        raise DamagedError("has an array of a kind that is not known")
    shape = [reader.number("the length of an axis", MOST_VALUES) for _ in range(reader.number("axes", MOST_AXES))]
    if prod(shape) > most or prod(length or 1 for length in shape) > MOST_VALUES:  # NumPy counts so in an empty array
        raise DamagedError(f"has an array of {prod(shape):,} values where {most:,} are left")
    geometry = [reader.number("the length of an axis", MOST_VALUES) for _ in range(3)] if head & 8 else None
    if geometry is not None and prod(geometry) != prod(shape[:-1]):
        raise DamagedError("has an array whose geometry does not fit")
    content = Reader(reader.take(reader.number("the length of an array", reader.left)))
    values = _READERS[kind](content, np.dtype(DTYPES[dtype]).newbyteorder("<"), shape, geometry)
    if content.left:
        raise DamagedError(f"has {content.left:,} bytes too many in an array")
    if values.dtype == bool and (values.view(np.uint8) > 1).any():
        raise DamagedError("has an array of values that are neither true nor false")
    return values.astype(DTYPES[dtype], copy=False)


def _cheapest(values: np.ndarray, geometry: Sequence[int] | None) -> tuple[int, bytes]:
    """The kind and the content that are shortest."""
    found = {_STORED: _little(values).tobytes()}
    bits = _little(values).reshape(-1).view(f"u{values.dtype.itemsize}")
    if not values.size:
        return _STORED, b""
    shared = np.unique(bits)
    if len(shared) == 1:
        found[_CONSTANT] = bits[:1].tobytes()
    grid = find_grid(values) if values.dtype.kind == "f" and len(shared) > 1 else None
    if grid is not None:
        found[_GRID] = _little(grid[0]).tobytes() + _write_integers(grid[1], geometry)
    is_dense = grid is not None and np.abs(grid[1]).max() <= len(shared)  # few numbers may lie on a grid by chance
    if 1 < len(shared) <= min(MOST_SHARED, values.size // 2) and not is_dense:
        found[_CODEBOOK] = _write_codebook(values, shared, geometry)
    if min(map(len, found.values())) == len(found[_STORED]):
        found[_PLANES] = _squeeze(_planes(values))
    kind = min(found, key=lambda one: (len(found[one]), one))
    return kind, found[kind]


def _little(values: np.ndarray | np.generic) -> np.ndarray:
    array = np.asarray(values)
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))


def _planes(values: np.ndarray) -> bytes:
    """The first bytes of all values, then the second ones, and so on."""
    return _little(values).reshape(-1, 1).view(np.uint8).T.tobytes()


def _squeeze(content: bytes) -> bytes:
    return lzma.compress(content, lzma.FORMAT_RAW, filters=_FILTERS)


def _stretch(reader: Reader, size: int) -> bytes:
    """The inverse of `_squeeze`, in so much memory as was said before."""
    squeezed = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
    try:
        content = squeezed.decompress(reader.take(reader.left), max_length=size + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise DamagedError("has an array that cannot be unpacked") from error
    if len(content) != size or not squeezed.eof or squeezed.unused_data:
        raise DamagedError("has an array that is not of the length that it says")
    return content


def _write_codebook(values: np.ndarray, shared: np.ndarray, geometry: Sequence[int] | None) -> bytes:
    """The distinct values in ascending order, and which of them each one is, counted from the most frequent."""
    table = shared[np.argsort(shared.view(values.dtype), kind="stable")].view(values.dtype)  # sorting would change NaNs
    order = np.argsort(table.view(shared.dtype))
    bits = _little(values).view(shared.dtype)
    indices = order[np.searchsorted(table.view(shared.dtype)[order], bits)]
    usual = int(np.bincount(indices.reshape(-1)).argmax())
    head = write_number(len(table)) + table.tobytes() + write_number(usual)
    return head + _write_integers(indices.reshape(values.shape) - usual, geometry)


def _read_codebook(reader: Reader, dtype: np.dtype, shape: Sequence[int], geometry: Sequence[int] | None) -> np.ndarray:
    size = reader.number("shared values", MOST_SHARED)
    table = np.frombuffer(reader.take(size * dtype.itemsize), dtype)
    usual = reader.number("a shared value", max(0, size - 1))
    indices = _read_integers(reader, shape, geometry) + usual
    if indices.size and not 0 <= indices.min() <= indices.max() < size:
        raise DamagedError("has an array of values that are not in its table")
    return table[indices]


@np.errstate(all="ignore")
def _read_grid(reader: Reader, dtype: np.dtype, shape: Sequence[int], geometry: Sequence[int] | None) -> np.ndarray:
    (step,) = np.frombuffer(reader.take(dtype.itemsize), dtype)
    if dtype.kind != "f" or not np.isfinite(step):
        raise DamagedError("has an array whose step is no number")
    return _read_integers(reader, shape, geometry).astype(dtype) * step


def _read_constant(reader: Reader, dtype: np.dtype, shape: Sequence[int], _: Sequence[int] | None) -> np.ndarray:
    return np.full(shape, np.frombuffer(reader.take(dtype.itemsize), dtype)[0], dtype)


def _read_stored(reader: Reader, dtype: np.dtype, shape: Sequence[int], _: Sequence[int] | None) -> np.ndarray:
    return np.frombuffer(reader.take(prod(shape) * dtype.itemsize), dtype).reshape(shape)


def _read_planes(reader: Reader, dtype: np.dtype, shape: Sequence[int], _: Sequence[int] | None) -> np.ndarray:
    planes = np.frombuffer(_stretch(reader, prod(shape) * dtype.itemsize), np.uint8)
    return np.ascontiguousarray(planes.reshape(dtype.itemsize, -1).T).view(dtype).reshape(shape)


_READERS = {
    _STORED: _read_stored,
    _PLANES: _read_planes,
    _CONSTANT: _read_constant,
    _GRID: _read_grid,
    _CODEBOOK: _read_codebook,
}


def are_many(shape: Sequence[int], geometry: Sequence[int] | None = None) -> bool:
    """Whether it takes too long to code so many one by one, or too much room to remember their neighbours."""
    return prod(shape) > MOST_CODED or room_of(shape, geometry=geometry) > MOST_CODED


def _write_integers(values: np.ndarray, geometry: Sequence[int] | None) -> bytes:
    """Integers coded one by one; the bytes of so many that it would take too long."""
    if are_many(values.shape, geometry):
        return _squeeze(_planes(values.astype(np.int16)))
    return encode_integers(values, geometry=geometry)


def _read_integers(reader: Reader, shape: Sequence[int], geometry: Sequence[int] | None) -> np.ndarray:
    if are_many(shape, geometry):
        return _read_planes(reader, np.dtype("<i2"), shape, None).astype(np.int32)
    return decode_integers(reader.take(reader.left), shape, geometry=geometry)

"""The reader of IDX files, the format of MNIST."""

from __future__ import annotations

import gzip
import math
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from trainkit.errors import DataError

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_DIMENSIONS = 32
_MOST_BYTES_FROM_ONE = 1032  # deflate cannot do better, so a header that declares more is wrong
_PIECE = 2**20  # bytes read at a time: gzip copies what it is asked for
_AGAIN = "Download or write it again."


def read_idx(filepath: Path) -> np.ndarray:
    """Read an IDX file, plain or gzipped, whatever its name.

    Args:
        filepath: The file.

    Returns:
        The array that the file declares, in native byte order.

    Raises:
        DataError: If it is missing, empty, damaged, no IDX file, or longer or shorter than it declares.

    Reference:
        Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "File formats".
    """
    if not filepath.is_file():
        came = "a directory" if filepath.is_dir() else "no such file"
        raise _refusal(filepath, came, "Check the path.")
    try:
        with filepath.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            return _read(filepath, gzip.GzipFile(fileobj=raw) if compressed else raw, compressed)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _refusal(filepath, f"damaged gzip data ({error})", _AGAIN) from error
    except OSError as error:
        raise _refusal(filepath, error.strerror or str(error), "Check the file.") from error


def _read(filepath: Path, stream: BufferedIOBase, compressed: bool) -> np.ndarray:
    dtype, shape, header = _read_header(filepath, stream)
    declared = math.prod(shape) * dtype.itemsize
    wanted = f"{declared:,} bytes of values, as its header says ({'×'.join(map(str, shape))} of {dtype.name})"
    size = filepath.stat().st_size
    if header + declared > size * (_MOST_BYTES_FROM_ONE if compressed else 1):
        raise _refusal(filepath, f"a {'gzip ' if compressed else ''}file of {size:,} bytes", _AGAIN, wanted)
    values = np.empty(declared, np.uint8)
    count = 0
    while read := stream.readinto(values.data[count : count + _PIECE]):
        count += read
    if count < declared:
        raise _refusal(filepath, f"{count:,}", _AGAIN, wanted)
    if stream.read(1):
        raise _refusal(filepath, "more", _AGAIN, wanted)
    array = values.view(dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_header(filepath: Path, stream: BufferedIOBase) -> tuple[np.dtype, tuple[int, ...], int]:
    """The dtype and shape that the header declares, and its own length."""
    magic = stream.read(4)
    if not magic:
        raise _refusal(filepath, "an empty file", _AGAIN)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES or not 1 <= magic[3] <= _MOST_DIMENSIONS:
        raise _refusal(filepath, f"a file that begins with {magic!r}", "Check that this is the file you meant.")
    length = 4 * magic[3]
    sizes = stream.read(length)
    if len(sizes) < length:
        raise _refusal(filepath, f"a header of {4 + len(sizes)} bytes where {4 + length} were declared", _AGAIN)
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    if 0 in shape:
        raise _refusal(filepath, f"the shape {shape!r}, which holds nothing", _AGAIN)
    return np.dtype(_DTYPES[magic[2]]), shape, 4 + length


def _refusal(filepath: Path, came: str, cure: str, wanted: str = "") -> DataError:
    rule = f"must hold {wanted}" if wanted else "must be an IDX file, plain or gzipped"
    return DataError(f"{filepath} {rule}. Received: {came}. {cure}")

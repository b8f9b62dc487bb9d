"""The container `.tkz`: a network and its weights, in few bytes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trainkit.coding.content import DamagedError, Reader, write_number
from trainkit.coding.dictionary import DICTIONARY
from trainkit.coding.tensors import MOST_VALUES, read_tensor, write_tensor

MAGIC = b"TKZ\x02"
"""The first bytes of a file; the last of them is the version of the format."""
MOST_TEXT = 2**24
"""Bytes of a network's description."""
MOST_TENSORS = 2**16


class Contents(NamedTuple):
    """What a file holds.

    Args:
        network: Its description, JSON.
        weights: In the order of the network.
    """

    network: str
    weights: list[np.ndarray]


def write_container(network: str, weights: Sequence[np.ndarray], geometries: Sequence[Sequence[int] | None]) -> bytes:
    """Write a network and its weights; see `docs/compression/tkz.md` for each byte.

    Args:
        network: Its description, JSON.
        weights: In the order of the network.
        geometries: Of each weight what `write_tensor` takes.

    Raises:
        ValueError: If there is more than `read_container` takes, or a dtype is not known.
    """
    text = network.encode()
    values = sum(weight.size for weight in weights)
    if len(text) > MOST_TEXT or values > MOST_VALUES or len(weights) > MOST_TENSORS:
        raise ValueError(
            f"{len(weights):,} weights of {values:,} values are more than the {MOST_VALUES:,} it may hold."
        )
    packed = _deflate(text)
    parts = [
        write_number(len(text)),
        write_number(len(packed)),
        packed,
        write_number(len(weights)),
        write_number(values),
    ]
    pairs = zip(weights, geometries, strict=True)
    parts += [write_tensor(weight, geometry=geometry) for weight, geometry in pairs]
    body = b"".join(parts)
    return MAGIC + zlib.crc32(body).to_bytes(4, "little") + body


def read_container(content: bytes) -> Contents:
    """Read what `write_container` wrote, in no more memory than a network of `MOST_VALUES` takes.

    Raises:
        DamagedError: If it is something else, or damaged.
    """
    reader = Reader(content)
    if reader.take(min(3, len(content))) != MAGIC[:3]:
        raise DamagedError("is no .tkz file")
    if (version := reader.take(1)[0]) != MAGIC[3]:
        raise DamagedError(f"is of version {version} of the format, not of version {MAGIC[3]}")
    if reader.take(4) != zlib.crc32(content[8:]).to_bytes(4, "little"):
        raise DamagedError("is damaged or cut: its checksum is another")
    size = reader.number("a description", MOST_TEXT)
    network = _inflate(reader.take(reader.number("a packed description", reader.left)), size)
    count, left = reader.number("weights", MOST_TENSORS), reader.number("values", MOST_VALUES)
    weights = []
    for _ in range(count):
        weights.append(read_tensor(reader, left))
        left -= weights[-1].size
    if left or reader.left:
        raise DamagedError(f"has {left:,} values too few, and {reader.left:,} bytes too many")
    return Contents(network, weights)


def _deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zdict=DICTIONARY)
    return packer.compress(text) + packer.flush()


def _inflate(packed: bytes, size: int) -> str:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, zdict=DICTIONARY)
    try:
        text = unpacker.decompress(packed, size + 1)
        if len(text) == size and unpacker.eof and not unpacker.unused_data:
            return text.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise DamagedError("has a description that cannot be unpacked") from error
    raise DamagedError("has a description that is not whole")

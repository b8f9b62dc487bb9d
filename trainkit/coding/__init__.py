"""Lossless coding of weights, in integers alone: the same bytes are the same weights on every machine."""

from trainkit.coding.container import Contents, read_container, write_container
from trainkit.coding.content import DamagedError
from trainkit.coding.integers import LARGEST, decode_integers, encode_integers

__all__ = [
    "LARGEST",
    "Contents",
    "DamagedError",
    "decode_integers",
    "encode_integers",
    "read_container",
    "write_container",
]

"""Lossless coding of weights, in integers alone: the same bytes are the same weights on every machine."""

from trainkit.coding.integers import LARGEST, decode_integers, encode_integers

__all__ = ["LARGEST", "decode_integers", "encode_integers"]

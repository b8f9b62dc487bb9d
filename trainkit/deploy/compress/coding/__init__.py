"""The coder of `trainkit.coding`, for steps that ask what their weights come to."""

from trainkit.coding import LARGEST, decode_integers, encode_integers

__all__ = ["LARGEST", "decode_integers", "encode_integers"]

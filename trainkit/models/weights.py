"""How many numbers weights are, and how many bytes; vocabularies, which Keras lists among them, are none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def weight_count(weights: Iterable[Any]) -> int:
    """The numbers in some weights."""
    return sum(_size(weight) for weight in weights)


def weight_bytes(weights: Iterable[Any]) -> int:
    """The bytes of some weights."""
    return sum(_size(weight) * weight.dtype.size for weight in weights if hasattr(weight, "shape"))


def _size(weight: Any) -> int:
    shape = getattr(weight, "shape", None)
    return 0 if shape is None or None in tuple(shape) else int(shape.num_elements())

"""Sparse integers as distances between them, in a few bits each: the storage format of Deep Compression."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from trainkit.coding.huffman import code_lengths, encode_symbols

WIDTHS = (4, 5, 8)
"""Bits of a distance that are tried."""
_TABLE_BITS = 5
"""Bits of an entry of a table of code lengths."""


@dataclass(frozen=True)
class SparseSize:
    """What a weight comes to in the storage format of Deep Compression.

    Args:
        values: Of the weight.
        kept: Those that are not 0.
        fillers: Zeros that are stored, because the next value is too far away.
        weight_bits: Of the number of a shared value.
        index_bits: Of a distance.
        coded_weight_bits: Of the number of a shared value, Huffman coded, on average.
        coded_index_bits: Of a distance, Huffman coded, on average.
        bytes: Of both and the table of shared values.
        coded_bytes: The same, Huffman coded, with the tables of code lengths.
    """

    values: int
    kept: int
    fillers: int
    weight_bits: int
    index_bits: int
    coded_weight_bits: float
    coded_index_bits: float
    bytes: int
    coded_bytes: int


def distances(numbers: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """How far each value that is not 0 is from the one before, less 1, and the values, with the zeros between.

    Args:
        numbers: Integers, shape `(values,)`.
        bits: Of a distance; where a value is farther away than they tell, a zero is put between.

    Returns:
        Distances and values, as many each.

    Example:
        >>> gaps, values = distances(np.array([0, 7, 0, 0, 0, 0, 0, 5]), bits=2)
        >>> gaps.tolist(), values.tolist()
        ([1, 3, 1], [7, 0, 5])

    Reference:
        Han et al., Deep Compression, ICLR 2016, figure 2.
    """
    span = 1 << bits
    places = np.flatnonzero(numbers)
    gaps = np.diff(places, prepend=-1) - 1
    fillers = gaps // span
    ends = np.cumsum(fillers + 1) - 1
    found, values = np.full(len(places) + int(fillers.sum()), span - 1), np.zeros(len(places) + int(fillers.sum()), int)
    found[ends], values[ends] = gaps % span, numbers[places]
    return found, values


def undo_distances(gaps: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """The inverse of `distances`, for so many values."""
    numbers = np.zeros(size, values.dtype)
    numbers[np.cumsum(gaps + 1) - 1] = values
    return numbers


def sparse_size(weight: np.ndarray) -> SparseSize:
    """Store a weight as Deep Compression does, with the width of distances that takes fewest bytes.

    Args:
        weight: Real numbers of any shape.

    Reference:
        Han et al., Deep Compression, ICLR 2016, section 3 and tables 2 and 3.
    """
    shared, numbers = np.unique(weight.ravel(), return_inverse=True)
    others = np.flatnonzero(shared != 0)
    ranks = np.zeros(len(shared), int)
    ranks[others] = np.arange(1, len(others) + 1)
    return min(
        (_measure(ranks[numbers.ravel()], prod(weight.shape), bits) for bits in WIDTHS), key=lambda one: one.bytes
    )


def _measure(numbers: np.ndarray, size: int, index_bits: int) -> SparseSize:
    gaps, values = distances(numbers, index_bits)
    stored, kept = len(values), int(np.count_nonzero(values))
    entries = int(numbers.max(initial=0)) + (kept < stored)
    weight_bits = max(1, (entries - 1).bit_length()) if entries else 0
    tables = [code_lengths(np.bincount(one, minlength=1).tolist()) for one in (values, gaps)]
    coded = [len(encode_symbols(one, lengths)) for one, lengths in zip((values, gaps), tables, strict=True)]
    lengths_bytes = sum(-(-len(table) * _TABLE_BITS // 8) for table in tables)
    return SparseSize(
        values=size,
        kept=kept,
        fillers=stored - kept,
        weight_bits=weight_bits,
        index_bits=index_bits,
        coded_weight_bits=8 * coded[0] / max(1, stored),
        coded_index_bits=8 * coded[1] / max(1, stored),
        bytes=-(-stored * (weight_bits + index_bits) // 8) + 4 * entries,
        coded_bytes=sum(coded) + lengths_bytes + 4 * entries,
    )

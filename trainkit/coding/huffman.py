"""Canonical Huffman codes, of which only the lengths are stored."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import count

import numpy as np


def code_lengths(counts: Sequence[int]) -> list[int]:
    """The bits of each symbol in a code without a shorter one, 0 where a symbol does not occur.

    Args:
        counts: How often each symbol occurs.

    Example:
        >>> code_lengths([4, 2, 1, 1, 0])
        [1, 2, 3, 3, 0]

    Reference:
        Huffman, A method for the construction of minimum-redundancy codes, 1952.
    """
    order = count()
    heap = [(number, next(order), [symbol]) for symbol, number in enumerate(counts) if number]
    lengths = [0] * len(counts)
    if len(heap) == 1:
        lengths[heap[0][2][0]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (one, _, left), (other, _, right) = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in (*left, *right):
            lengths[symbol] += 1
        heapq.heappush(heap, (one + other, next(order), left + right))
    return lengths


def canonical_codes(lengths: Sequence[int]) -> dict[int, str]:
    """The code of each symbol as text of `0` and `1`: shorter ones come first, then smaller symbols.

    Example:
        >>> canonical_codes([1, 2, 3, 3, 0])
        {0: '0', 1: '10', 2: '110', 3: '111'}
    """
    codes, code, before = {}, 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths) if length):
        code <<= length - before
        codes[symbol], code, before = f"{code:0{length}b}", code + 1, length
    return codes


def encode_symbols(symbols: np.ndarray, lengths: Sequence[int]) -> bytes:
    """Write symbols in a canonical code, the last byte filled up with zeros.

    Args:
        symbols: From 0, shape `(symbols,)`.
        lengths: What `code_lengths` gave for them.
    """
    codes = canonical_codes(lengths)
    text = "".join(codes[symbol] for symbol in symbols.tolist())
    return int(f"1{text}".ljust(1 + -(-len(text) // 8) * 8, "0"), 2).to_bytes(1 + -(-len(text) // 8), "big")[1:]


def decode_symbols(content: bytes, lengths: Sequence[int], size: int) -> np.ndarray:
    """The inverse of `encode_symbols`.

    Args:
        content: What it gave.
        lengths: As it was given.
        size: How many symbols there are.

    Raises:
        ValueError: If the content does not hold so many.
    """
    symbols = {code: symbol for symbol, code in canonical_codes(lengths).items()}
    longest, found, code = max(lengths, default=0), [], ""
    bits = iter("".join(f"{byte:08b}" for byte in content))
    while len(found) < size:
        code += next(bits, "x")
        if code in symbols:
            found.append(symbols[code])
            code = ""
        elif len(code) > longest:
            raise ValueError(f"the content holds {len(found):,} symbols of {size:,}.")
    return np.array(found, np.int64)

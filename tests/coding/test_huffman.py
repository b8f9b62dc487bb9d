"""Canonical Huffman codes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from trainkit.coding.huffman import canonical_codes, code_lengths, decode_symbols, encode_symbols


def test_code_lengths_are_those_of_the_textbook():  # Cormen et al., Introduction to Algorithms, section 15.3
    assert code_lengths([45, 13, 12, 16, 9, 5]) == [1, 3, 3, 3, 4, 4]


@pytest.mark.parametrize("counts", [[], [0], [5], [0, 3], [1, 1], [1, 2, 4, 8, 16, 0, 1]], ids=str)
def test_codes_are_prefix_free_and_full(counts):
    codes = sorted(canonical_codes(code_lengths(counts)).values())
    assert not any(b.startswith(a) for a, b in pairwise(codes))
    if len(codes) > 1:
        assert sum(2.0 ** -len(code) for code in codes) == 1


def test_symbols_come_back_in_as_many_bits_as_their_entropy_and_one():
    symbols = np.random.default_rng(0).geometric(0.3, 3000) - 1
    counts = np.bincount(symbols)
    shares = counts[counts > 0] / len(symbols)
    entropy = -(shares * np.log2(shares)).sum()
    lengths = code_lengths(counts.tolist())
    content = encode_symbols(symbols, lengths)
    assert np.array_equal(decode_symbols(content, lengths, len(symbols)), symbols)
    assert entropy * 3000 <= 8 * len(content) <= (entropy + 0.1) * 3000


@pytest.mark.parametrize("content", [b"", b"\xff"], ids=["cut", "other"])
def test_symbols_that_are_not_there_are_refused(content):
    with pytest.raises(ValueError, match="the content holds"):
        decode_symbols(content, [1, 2, 3, 0], 100)

"""The storage format of Deep Compression."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.coding.sparse_rows import distances, sparse_size, undo_distances


def test_distances_are_those_of_the_paper():  # figure 2: spans of 8, a filler where 15 lies behind 4
    numbers = np.zeros(16, int)
    numbers[[1, 4, 15]] = 34, 9, 17
    gaps, values = distances(numbers, bits=3)
    assert values.tolist() == [34, 9, 0, 17]
    assert gaps.tolist() == [1, 2, 7, 2]


@pytest.mark.parametrize("bits", [2, 4, 5, 8])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_distances_can_be_undone(bits, share):
    draw = np.random.default_rng(0)
    numbers = (draw.random(2000) < share) * draw.integers(1, 30, 2000)
    gaps, values = distances(numbers, bits)
    assert gaps.max(initial=0) < 1 << bits
    assert np.array_equal(undo_distances(gaps, values, 2000), numbers)


def test_sparse_size_counts_bits_as_the_paper_does():
    weight = np.zeros((100, 32), np.float32)
    weight.flat[::32] = np.linspace(-1, 1, 100)  # 100 values, the first at place 0, the others 31 zeros apart
    size = sparse_size(weight)
    assert (size.values, size.kept, size.fillers, size.index_bits, size.weight_bits) == (3200, 100, 0, 5, 7)
    assert size.bytes == 100 * (5 + 7) // 8 + 4 * 100
    assert size.coded_index_bits == pytest.approx(1, abs=0.1)


def test_huffman_codes_make_it_smaller_where_values_are_not_alike():
    draw = np.random.default_rng(0)
    weight = (draw.random((300, 100)) < 0.1) * (draw.geometric(0.4, (300, 100)) * 0.1)
    size = sparse_size(weight.astype(np.float32))
    assert size.coded_bytes < 0.9 * size.bytes

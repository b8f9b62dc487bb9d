"""Kernels as products of smaller ones."""

import numpy as np
import pytest

from trainkit.deploy.compress.factoring.decompose import (
    rank_holding,
    singular_values,
    truncated_svd,
    tucker2,
)


@pytest.fixture
def random():
    return np.random.default_rng(1)


def test_truncated_svd_loses_the_singular_values_that_are_left_out(random):
    matrix = random.normal(size=(12, 7))
    left, right = truncated_svd(matrix, 3)
    assert (left.shape, right.shape) == ((12, 3), (3, 7))
    lost = np.linalg.norm(left @ right - matrix)
    assert lost == pytest.approx(np.sqrt((np.linalg.svd(matrix, compute_uv=False)[3:] ** 2).sum()))
    np.testing.assert_allclose(np.linalg.norm(left, axis=0), np.linalg.norm(right, axis=1))


@pytest.mark.parametrize("energy, rank", [(0.0, 1), (0.63, 1), (0.65, 2), (0.95, 2), (0.97, 3)])
def test_rank_holding_counts_squares(energy, rank):
    assert rank_holding(np.array([8.0, 5.6, 2.0]), energy) == rank  # 64, 31.36 and 4 of 99.36


def test_rank_holding_takes_one_of_nothing():
    assert rank_holding(np.zeros(4), 0.9) == 1


def test_tucker2_finds_the_channels_that_a_kernel_has(random):
    core = random.normal(size=(3, 3, 4, 5))
    kernel = np.einsum("hwrs,ir,so->hwio", core, random.normal(size=(9, 4)), random.normal(size=(5, 11)))
    assert [int((singular_values(kernel, axis) > 1e-9).sum()) for axis in (-2, -1)] == [4, 5]
    first, middle, last = tucker2(kernel, (4, 5))
    assert (first.shape, middle.shape, last.shape) == ((9, 4), (3, 3, 4, 5), (5, 11))
    np.testing.assert_allclose(np.einsum("hwrs,ir,so->hwio", middle, first, last), kernel, atol=1e-10)

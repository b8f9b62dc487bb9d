"""Kernels as sums of products of vectors."""

import numpy as np
import pytest

from trainkit.deploy.compress.factoring.canonical import canonical, sum_of_products


@pytest.fixture
def random():
    return np.random.default_rng(1)


@pytest.mark.parametrize("shape, rank", [((3, 3, 8, 10), 6), ((5, 5, 1, 20), 4), ((5, 6, 12), 3)])
def test_canonical_finds_the_products_that_a_kernel_is_the_sum_of(random, shape, rank):
    kernel = sum_of_products([random.normal(size=(size, rank)) for size in shape])
    factors = canonical(kernel, rank)
    assert [factor.shape for factor in factors] == [(size, rank) for size in shape]
    assert np.linalg.norm(sum_of_products(factors) - kernel) < 0.02 * np.linalg.norm(kernel)
    norms = [np.linalg.norm(factor, axis=0) for factor in factors]
    np.testing.assert_allclose(norms, [norms[0]] * len(norms))


@pytest.mark.slow
def test_canonical_is_better_with_more_products(random):
    kernel = random.normal(size=(3, 3, 6, 8))
    lost = [np.linalg.norm(sum_of_products(canonical(kernel, rank)) - kernel) for rank in (4, 8, 16, 32, 54)]
    assert lost == sorted(lost, reverse=True)
    assert lost[-1] < 1e-5 * np.linalg.norm(kernel)


def test_canonical_of_zeros_is_zeros():
    assert not sum_of_products(canonical(np.zeros((3, 3, 2, 4)), 3)).any()

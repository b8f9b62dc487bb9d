"""Kernels as sums of products of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import mul
from typing import Any

import numpy as np

from trainkit.framework import tf

ROUNDS = 300
"""At most so often each factor is solved for."""

SETTLED = 1e-6
"""It ends once a round changes the relative error by less."""

RIDGE = 1e-8
"""What keeps factors from growing against each other; of a kernel of norm 1."""


def canonical(kernel: np.ndarray, rank: int) -> list[np.ndarray]:
    """Write a kernel as a sum of products of vectors, by alternating least squares.

    It starts from the singular vectors of the matrices at each place of a filter, of which the sum of all is the
    kernel. TensorFlow computes it: its threads do not wait for each other where others are at work, too.

    Args:
        kernel: Shape `(…, inputs, outputs)`.
        rank: How many products.

    Returns:
        A matrix for each axis, shape `(size, rank)`; in each column they have the same norm, so that they train alike.

    Reference:
        Lebedev et al., Speeding-up Convolutional Neural Networks Using Fine-tuned CP-Decomposition, ICLR 2015, section
        3.1; Kolda and Bader, Tensor Decompositions and Applications, 2009, section 3.4.
    """
    norm = np.linalg.norm(kernel)
    if not norm:
        return [np.zeros((size, rank)) for size in kernel.shape]
    factors = [tf.constant(factor) for factor in _first_products(kernel / norm, rank)]
    whole, before = tf.constant(kernel / norm), np.inf
    for _ in range(ROUNDS):
        error = _solve_each(whole, factors)
        if abs(before - error) < SETTLED:
            break
        before = error
    norms = np.stack([np.linalg.norm(factor, axis=0) for factor in factors])
    shared = (norm * norms.prod(axis=0)) ** (1 / len(factors))
    return [factor.numpy() * shared / np.maximum(its, 1e-30) for factor, its in zip(factors, norms, strict=True)]


def sum_of_products(factors: Sequence[np.ndarray]) -> np.ndarray:
    """The array that factors stand for.

    Example:
        >>> sum_of_products([np.array([[1.0], [2.0]]), np.array([[3.0], [0.0]])]).tolist()
        [[3.0, 0.0], [6.0, 0.0]]
    """
    letters = "abcdefgh"[: len(factors)]
    return np.einsum(",".join(f"{one}z" for one in letters) + f"->{letters}", *factors, optimize=True)


def _first_products(kernel: np.ndarray, rank: int) -> list[np.ndarray]:
    """The largest singular vectors of all places of a filter, and zeros where there are no more."""
    *places, inputs, outputs = kernel.shape
    left, values, right = np.linalg.svd(kernel.reshape(-1, inputs, outputs), full_matrices=False)
    chosen = np.argsort(-values, axis=None, kind="stable")[:rank]
    place, number = np.unravel_index(chosen, values.shape)
    spots = [np.eye(size)[index].T for size, index in zip(places, np.unravel_index(place, places), strict=True)]
    found = [*spots, (left[place, :, number] * values[place, number, np.newaxis]).T, right[place, number].T]
    return [np.pad(factor, [(0, 0), (0, rank - len(chosen))]) for factor in found]


def _solve_each(kernel: Any, factors: list[Any]) -> float:
    """One round: replace each factor by the best one for the others, and give the relative error after it."""
    squares = [tf.matmul(factor, factor, transpose_a=True) for factor in factors]
    for axis in range(len(factors)):
        others = reduce(mul, squares[:axis] + squares[axis + 1 :])
        projected = _project(kernel, factors, axis)
        root = tf.linalg.cholesky(others + RIDGE * tf.eye(len(others), dtype=others.dtype))
        factors[axis] = tf.transpose(tf.linalg.cholesky_solve(root, tf.transpose(projected)))
        squares[axis] = tf.matmul(factors[axis], factors[axis], transpose_a=True)
    # of a kernel of norm 1, |kernel - sum|² = 1 + |sum|² - 2 kernel·sum
    rest = 1 + tf.reduce_sum(reduce(mul, squares)) - 2 * tf.reduce_sum(projected * factors[-1])
    return float(tf.sqrt(tf.maximum(rest, 0)))


def _project(kernel: Any, factors: Sequence[Any], axis: int) -> Any:
    """A kernel times the vectors of all axes but one, shape `(size, rank)`: the largest axis first, as a matrix."""
    first, *rest = sorted((other for other in range(len(factors)) if other != axis), key=lambda one: -kernel.shape[one])
    value = tf.expand_dims(tf.tensordot(kernel, factors[first], [[first], [0]]), first)
    for other in rest:
        shape = [-1 if place == other else 1 for place in range(len(factors))]
        value = tf.reduce_sum(value * tf.reshape(factors[other], [*shape, factors[other].shape[1]]), other, True)
    return tf.reshape(value, (kernel.shape[axis], -1))

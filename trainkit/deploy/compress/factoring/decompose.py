"""Kernels as products of matrices and smaller kernels."""

from __future__ import annotations

import numpy as np

ROUNDS = 10
"""So often each side of a Tucker decomposition is chosen anew for the other; little is gained after the first few."""


def truncated_svd(matrix: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Factor a matrix into two thinner ones.

    Args:
        matrix: Shape `(inputs, outputs)`.
        rank: Singular values kept, in `[1, min(inputs, outputs)]`.

    Returns:
        `left`, shape `(inputs, rank)`, and `right`, shape `(rank, outputs)`: the closest product of that rank in the
        Frobenius norm. Both have the square roots of the singular values, so that they train alike.

    Example:
        >>> left, right = truncated_svd(np.outer([1.0, 2.0], [3.0, 4.0, 0.0]), 1)
        >>> np.round(left @ right, 6).tolist()
        [[3.0, 4.0, 0.0], [6.0, 8.0, 0.0]]

    Reference:
        Denton et al., NIPS 2014, section 3.2.
    """
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    roots = np.sqrt(values[:rank])
    return left[:, :rank] * roots, roots[:, np.newaxis] * right[:rank]


def singular_values(kernel: np.ndarray, axis: int) -> np.ndarray:
    """Those of a kernel as a matrix that has one axis as its rows, the largest first."""
    rows = np.moveaxis(kernel, axis, 0)
    return np.linalg.svd(rows.reshape(len(rows), -1), compute_uv=False)


def rank_holding(values: np.ndarray, energy: float) -> int:
    """How many singular values hold a share of the sum of their squares.

    Example:
        >>> [rank_holding(np.array([3.0, 1.0, 0.0]), energy) for energy in (0.0, 0.9, 0.95)]
        [1, 1, 2]
    """
    squares = np.cumsum(values**2)
    return int(np.searchsorted(squares, energy * squares[-1])) + 1 if squares[-1] else 1


def tucker2(kernel: np.ndarray, ranks: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factor a kernel along its channels, by higher-order orthogonal iteration.

    Args:
        kernel: Shape `(…, inputs, outputs)`.
        ranks: How many channels the core takes and gives.

    Returns:
        `first`, shape `(inputs, ranks[0])`, the core, shape `(…, *ranks)`, and `last`, shape `(ranks[1], outputs)`.

    Reference:
        Kim et al., Compression of Deep Convolutional Neural Networks, ICLR 2016, section 3.2; De Lathauwer et al., On
        the Best Rank-(R1, …, RN) Approximation, 2000, algorithm 4.2.
    """
    last = _leading(kernel, -1, ranks[1])
    for _ in range(ROUNDS):
        first = _leading(kernel @ last, -2, ranks[0])
        taken = np.einsum("...io,ir->...ro", kernel, first)
        last = _leading(taken, -1, ranks[1])
    return first, taken @ last, last.T


def _leading(kernel: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """The orthonormal directions of an axis that hold most of the squares, shape `(size, rank)`."""
    rows = np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1)
    return np.linalg.eigh(rows @ rows.T)[1][:, ::-1][:, :rank]

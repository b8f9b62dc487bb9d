"""What all ways to factor the kernel of a layer have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from trainkit.deploy.compress.factoring.part import Part

Rank = tuple[int, ...]
Factors = Sequence[np.ndarray]


class Factoring(ABC):
    """A way to write the kernel of a layer as a product of smaller ones.

    Args:
        layer: A built `Dense` layer or convolution, of one group; it is not changed.
    """

    method: ClassVar[str]
    """What a config calls it."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.kernel = layer.kernel.numpy().astype(np.float64)
        self._factors: dict[Rank, Factors] = {}

    @abstractmethod
    def rank_of(self, number: int) -> Rank:
        """The rank that a number stands for."""

    @abstractmethod
    def rank_holding(self, energy: float) -> Rank | None:
        """The smallest rank that keeps a share of the squares of the kernel; None where it would not be smaller."""

    @abstractmethod
    def size(self, rank: Rank) -> int:
        """Values of all factors."""

    @abstractmethod
    def parts(self, rank: Rank) -> list[Part]:
        """The layers in place of the layer."""

    def factors(self, rank: Rank) -> Factors:
        """The factors; those of a rank are computed once."""
        if rank not in self._factors:
            self._factors[rank] = self._factor(rank)
        return self._factors[rank]

    def error(self, rank: Rank) -> float:
        """The Frobenius norm of what is lost of the kernel, by that of the kernel."""
        lost = np.linalg.norm(self._product(self.factors(rank)) - self.kernel)
        return float(lost / (np.linalg.norm(self.kernel) or 1.0))

    @abstractmethod
    def _factor(self, rank: Rank) -> Factors: ...

    @abstractmethod
    def _product(self, factors: Factors) -> np.ndarray: ...

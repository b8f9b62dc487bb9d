"""A layer as one of few outputs and a matrix behind it."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from trainkit.deploy.compress.factoring.decompose import rank_holding, singular_values, truncated_svd
from trainkit.deploy.compress.factoring.method import Factoring, Factors, Rank
from trainkit.deploy.compress.factoring.part import Part, inner, outer


class Svd(Factoring):
    """The filters of a layer as sums of a few: `left` gives those, `right` sums them.

    Reference:
        Denton et al., NIPS 2014, section 3.2.
    """

    method = "svd"

    @cached_property
    def _matrix(self) -> np.ndarray:
        return self.kernel.reshape(-1, self.kernel.shape[-1])

    def rank_of(self, number: int) -> Rank:
        """As many filters, or all that there are."""
        return (min(number, *self._matrix.shape),)

    def rank_holding(self, energy: float) -> Rank:
        """As many as singular values hold that share."""
        return (rank_holding(self._values, energy),)

    @cached_property
    def _values(self) -> np.ndarray:
        return singular_values(self.kernel, -1)

    def size(self, rank: Rank) -> int:
        """Values of both matrices."""
        return rank[0] * sum(self._matrix.shape)

    def parts(self, rank: Rank) -> list[Part]:
        """`left`, with the steps of a convolution, and `right`."""
        left, right = self.factors(rank)
        filters = left.reshape(*self.kernel.shape[:-1], rank[0])
        return [inner(self.layer, "left", filters), outer(self.layer, "right", right)]

    def _factor(self, rank: Rank) -> Factors:
        return truncated_svd(self._matrix, rank[0])

    def _product(self, factors: Factors) -> np.ndarray:
        left, right = factors
        return (left @ right).reshape(self.kernel.shape)

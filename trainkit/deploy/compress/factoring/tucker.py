"""A convolution over fewer channels, between two of a single place."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from trainkit.deploy.compress.factoring.decompose import rank_holding, singular_values, tucker2
from trainkit.deploy.compress.factoring.method import Factoring, Factors, Rank
from trainkit.deploy.compress.factoring.part import Part, inner, outer


class Tucker(Factoring):
    """`first` mixes what comes in to fewer channels, `core` has the filters, `last` mixes what it gives.

    Where the core takes or gives all channels, there is no `first` or no `last`.

    Reference:
        Kim et al., ICLR 2016, section 3.
    """

    method = "tucker"

    def rank_of(self, number: int) -> Rank:
        """The same number of channels on both sides, or all that there are."""
        return tuple(min(number, whole) for whole in self._channels)

    def rank_holding(self, energy: float) -> Rank:
        """What is lost on both sides adds up at most, so that each may lose half of it."""
        return tuple(rank_holding(values, (1 + energy) / 2) for values in self._values)

    def size(self, rank: Rank) -> int:
        """Values of the core and of the matrices that there are."""
        ends = (kept * whole for kept, whole in zip(rank, self._channels, strict=True) if kept < whole)
        return int(np.prod((*self.kernel.shape[:-2], *rank))) + sum(ends)

    def parts(self, rank: Rank) -> list[Part]:
        """`first`, `core` with the steps of the convolution, and `last`."""
        first, core, last = self.factors(rank)
        takes_all, gives_all = (kept == whole for kept, whole in zip(rank, self._channels, strict=True))
        if takes_all:
            core = np.einsum("ir,...ro->...io", first, core)
        before = [] if takes_all else [inner(self.layer, "first", first)]
        if gives_all:
            return [*before, outer(self.layer, "core", core @ last)]
        return [*before, inner(self.layer, "core", core), outer(self.layer, "last", last)]

    @property
    def _channels(self) -> tuple[int, int]:
        return self.kernel.shape[-2:]

    @cached_property
    def _values(self) -> list[np.ndarray]:
        return [singular_values(self.kernel, axis) for axis in (-2, -1)]

    def _factor(self, rank: Rank) -> Factors:
        return tucker2(self.kernel, (rank[0], rank[1]))

    def _product(self, factors: Factors) -> np.ndarray:
        first, core, last = factors
        return np.einsum("ir,...rs,so->...io", first, core, last, optimize=True)

"""A convolution as filters of one axis each, channel by channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainkit.deploy.compress.factoring.canonical import canonical, sum_of_products
from trainkit.deploy.compress.factoring.method import Factoring, Factors, Rank
from trainkit.deploy.compress.factoring.part import Part, depthwise, inner, outer, padding

_NAMES = {1: ("core",), 2: ("vertical", "horizontal")}


class Cp(Factoring):
    """A flattened convolution: across channels, down, along, and across channels again.

    `first` gives `rank` channels; `vertical` and `horizontal` (`core`, where there is one axis) filter each of them by
    itself; `last` mixes them. Steps over places are made by the last of the filters, which leaves each of them what it
    needs.

    Reference:
        Jin, Dundar and Culurciello, Flattened convolutional neural networks, 2014, section 3; Lebedev et al., ICLR
        2015, section 3.2.
    """

    method = "cp"

    def rank_of(self, number: int) -> Rank:
        """As many products."""
        return (number,)

    def rank_holding(self, energy: float) -> Rank | None:
        """Found by halving: more products hold more."""
        low, high = 0, (self.kernel.size - 1) // sum(self.kernel.shape)
        if not high or not self._holds(high, energy):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._holds(middle, energy) else (middle, high)
        return (high,)

    def _holds(self, number: int, energy: float) -> bool:
        return 1 - self.error((number,)) ** 2 >= energy

    def size(self, rank: Rank) -> int:
        """Values of all vectors."""
        return rank[0] * sum(self.kernel.shape)

    def parts(self, rank: Rank) -> list[Part]:
        """`first`, the filters of each axis, and `last`."""
        *filters, first, last = self.factors(rank)
        return [inner(self.layer, "first", first), *self._filters(filters), outer(self.layer, "last", last.T)]

    def _filters(self, filters: Factors) -> list[Part]:
        """Zeros around the image, where it wants those of its steps, and a depthwise convolution for each axis."""
        layer, axes = self.layer, len(filters)
        margins = margins_of(layer)
        parts = [padding(layer, "padding", margins)] if margins else []
        for axis, (name, taps) in enumerate(zip(_NAMES[axes], filters, strict=True)):
            place = [1] * axes
            place[axis] = len(taps)
            dilation = [1] * axes
            dilation[axis] = layer.dilation_rate[axis]
            parts.append(
                depthwise(
                    layer,
                    name,
                    taps.reshape(*place, -1),
                    strides=layer.strides if axis == axes - 1 else (1,) * axes,
                    padding="valid" if margins else layer.padding,
                    dilation_rate=tuple(dilation),
                )
            )
        return parts

    def _factor(self, rank: Rank) -> Factors:
        return canonical(self.kernel, rank[0])

    def _product(self, factors: Factors) -> np.ndarray:
        return sum_of_products(factors)


def margins_of(layer: Any) -> list[tuple[int, int]]:
    """The zeros that a convolution puts around each axis, where filters without its steps would put others."""
    if layer.padding == "valid" or (layer.padding == "same" and set(layer.strides) == {1}):
        return []
    spans = [1 + rate * (size - 1) for size, rate in zip(layer.kernel_size, layer.dilation_rate, strict=True)]
    if layer.padding == "causal":
        return [(spans[0] - 1, 0)]
    shape = layer.get_input_shape_at(0)
    sizes = shape[2:] if layer.data_format == "channels_first" else shape[1:-1]
    totals = [
        max((-(-size // step) - 1) * step + span - size, 0)
        for size, step, span in zip(sizes, layer.strides, spans, strict=True)
    ]
    return [(total // 2, total - total // 2) for total in totals]

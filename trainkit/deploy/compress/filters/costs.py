"""What a network costs without some of its channels, as a share of what it has cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from trainkit.deploy.compress.filters.channels import Channels, Group
from trainkit.models.costs import layer_costs

Count = Callable[[Any, Channels, Collection[int]], float]


def count_filters(model: Any, channels: Channels, gone: Collection[int]) -> int:
    """The filters that are left of those that may go."""
    sizes = {group.root: sum(map(len, group.filters.values())) for group in channels.groups()}
    return sum(size for root, size in sizes.items() if root not in gone)


def count_parameters(model: Any, channels: Channels, gone: Collection[int]) -> int:
    """The weights that are left, statistics among them."""
    return sum(_sizes(layer, channels, gone) for layer in model.layers)


def count_macs(model: Any, channels: Channels, gone: Collection[int]) -> float:
    """The multiply-accumulates of a sample that are left; of axes of any length, those of one step.

    A layer uses each value of its kernel at every place: its part that is left is that of the values.
    """
    left: dict[str, float] = {}
    for layer in model.layers:
        before = _sizes(layer, channels, (), kernels=True)
        left[layer.name] = _sizes(layer, channels, gone, kernels=True) / before if before else 1.0
    return sum(sum(cost.macs.terms) * left[cost.name] for cost in layer_costs(model) if cost.macs is not None)


COUNTS: dict[str, Count] = {
    "filters": count_filters,
    "macs": count_macs,
    "parameters": count_parameters,
}
"""`count(model, channels, gone)`: what is left of a model, by the word for it."""


def savings_of(
    model: Any, channels: Channels, families: Mapping[tuple[str, ...], Sequence[Group]], count: Count
) -> dict[int, float]:
    """What a network saves without one group of channels, by the group; in a family all save the same, about."""
    whole = count(model, channels, ())
    saved: dict[int, float] = {}
    for family in families.values():
        one = max(whole - count(model, channels, (family[0].root,)), 1.0)
        saved |= {group.root: one for group in family}
    return saved


def _sizes(layer: Any, channels: Channels, gone: Collection[int], *, kernels: bool = False) -> int:
    """The values that are left of the weights of a layer."""
    passed = channels.of(layer.name)
    shapes = {id(weight): list(weight.shape) for weight in layer.weights}
    kernel_ids = set()
    for tie in passed.ties if passed else ():
        weight = id(getattr(layer, tie.weight))
        shapes[weight][tie.axis] = int(channels.staying(tie.channels, gone).sum())
        kernel_ids |= {weight} if tie.weight.endswith("kernel") else set()
    chosen = [shape for key, shape in shapes.items() if not kernels or key in kernel_ids]
    return sum(math.prod(shape) for shape in chosen)

"""Which layers are factored, how, and to which rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.deploy.compress.factoring.cp import Cp
from trainkit.deploy.compress.factoring.method import Factoring, Rank
from trainkit.deploy.compress.factoring.part import Part
from trainkit.deploy.compress.factoring.svd import Svd
from trainkit.deploy.compress.factoring.tucker import Tucker
from trainkit.framework import tf
from trainkit.models.calls import call_in_turn
from trainkit.models.costs import Amount, count_macs, layer_costs, total

layers = tf.keras.layers

FACTORABLE = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
"""Layers whose kernel is a product of smaller ones."""

METHODS: dict[str, type[Factoring]] = {one.method: one for one in (Svd, Tucker, Cp)}


@dataclass(frozen=True)
class Choice:
    """A layer that is factored.

    Args:
        factoring: How.
        rank: To which rank.
        macs: Multiply-accumulates of a sample before and after.
    """

    factoring: Factoring
    rank: Rank
    macs: tuple[Amount, Amount]

    @property
    def parts(self) -> list[Part]:
        """The layers in its place."""
        return self.factoring.parts(self.rank)


def factoring_of(layer: Any, method: str) -> Factoring | str:
    """How a layer is factored, or why it is not.

    Args:
        layer: One of `FACTORABLE`.
        method: Of `METHODS`, or `auto`: `tucker`. A kernel that is a matrix, of a `Dense` layer or of a convolution of
            a single place, goes by `svd` in any case.
    """
    if getattr(layer, "groups", 1) != 1:
        return "its channels are convolved in groups"
    if layer.kernel_constraint is not None:
        return "its kernel has a constraint, which factors cannot keep"
    if all(size == 1 for size in layer.kernel.shape[:-2]):
        return Svd(layer)
    if method == "cp" and (reason := _why_not_flat(layer)):
        return reason
    return METHODS["tucker" if method == "auto" else method](layer)


def _why_not_flat(layer: Any) -> str | None:
    """Why a convolution cannot be one of a single axis after the other."""
    if len(layer.kernel_size) > 2:
        return "Keras has no depthwise convolution of three axes"
    if len(set(layer.strides)) > 1:
        return "a depthwise convolution steps as far down as along"
    shapes = {layer.get_input_shape_at(call)[1:] for call in range(len(layer.inbound_nodes))}
    is_open = len(shapes) > 1 or any(None in shape for shape in shapes)
    if is_open and layer.padding == "same" and set(layer.strides) != {1}:
        return "its steps with `padding: same` depend on a size of its input that is open"
    return None


def choose_ranks(
    factorings: Mapping[str, Factoring | str], numbers: Mapping[str, int | None], energy: float | None
) -> tuple[dict[str, Choice], dict[str, str]]:
    """The ranks of layers that become smaller.

    Args:
        factorings: How layers are factored, or why they are not, by name.
        numbers: The rank of each layer; 0 leaves it alone, None leaves it to `energy`.
        energy: Share of its squares that each of those kernels keeps; None leaves them alone.

    Returns:
        What is factored, and why what was asked for is not.
    """
    chosen: dict[str, Choice] = {}
    reasons: dict[str, str] = {}
    for name, factoring in factorings.items():
        number = numbers[name]
        if number == 0 or (number is None and energy is None):
            continue
        found = factoring if isinstance(factoring, str) else _choose(factoring, number, energy)
        if isinstance(found, Choice):
            chosen[name] = found
        else:
            reasons[name] = found
    return chosen, reasons


def _choose(factoring: Factoring, number: int | None, energy: float | None) -> Choice | str:
    rank = factoring.rank_of(number) if number else factoring.rank_holding(energy or 0.0)
    if rank is None or factoring.size(rank) >= factoring.kernel.size:
        return "its factors would have no fewer weights"
    before, after = macs = _macs(factoring, rank)
    return "its factors would have more to compute" if before < after else Choice(factoring, rank, macs)


def _macs(factoring: Factoring, rank: Rank) -> tuple[Amount, Amount]:
    layer = factoring.layer
    given, gives = (tuple(shape[1:]) for shape in (layer.get_input_shape_at(0), layer.get_output_shape_at(0)))
    image = tf.keras.Input(given)
    parts = tf.keras.Model(image, call_in_turn([part.make() for part in factoring.parts(rank)], (image,), {}))
    known = (cost.macs for cost in layer_costs(parts))
    return count_macs(layer, [given], gives) or Amount(), total(macs for macs in known if macs is not None)

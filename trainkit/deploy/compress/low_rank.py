"""Low-rank factoring: layers become several smaller ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from annotated_types import Ge, Lt

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.factoring import (
    FACTORABLE,
    Choice,
    Factoring,
    choose_ranks,
    factored,
    factoring_of,
    output_errors,
)
from trainkit.deploy.compress.kernels import choose
from trainkit.deploy.compress.result import CompressionResult
from trainkit.errors import InputError

LOOKS = 8
"""How often a network is measured to find the share of energy that a drop of accuracy allows."""

SAMPLES = 32
"""Training samples that the outputs of layers are compared on."""

FINEST = 4.0
"""The largest share of energy that is tried is 1 - 10^-4."""


def low_rank(
    model: Any,
    *,
    rank: Annotated[int | None, Ge(1)] = None,
    energy: Annotated[float | None, Ge(0), Lt(1)] = None,
    accuracy_drop: Annotated[float | None, Ge(0)] = None,
    layers: Annotated[dict[str, int] | None, Ge(0)] = None,
    method: Literal["auto", "svd", "tucker", "cp"] = "auto",
    epochs: Annotated[int, Ge(1)] = 2,
    context: CompressionContext,
) -> CompressionResult:
    """Put several smaller layers in place of `Dense` layers and convolutions, and train them together.

    Layers that would not have fewer weights, or more to compute, stay as they are.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        rank: Of each kernel.
        energy: Share of the sum of its squares that each kernel keeps; each has the smallest rank that does.
        accuracy_drop: Points (hundredths) of validation accuracy that the network may lose by being factored, before it
            is trained: the share of energy is the smallest that is found to keep to it, the same for all kernels.
        layers: Ranks of their own for patterns of layer names, the first that fits; 0 leaves a layer alone:
            `{conv1: 0, "dense*": 32}`. Without `rank`, `energy` and `accuracy_drop`, only these are factored.
        method: For convolutions of more than one place: `tucker` (`auto`, too), `svd` or `cp`.
        epochs: Passes over the training samples.
        context: What every compressor is told.

    Returns:
        A plain model: layer `conv1` is now `conv1.first`, `conv1.core`, `conv1.last`, say; and the fact `layers`.

    Raises:
        InputError: If a pattern fits no layer, or a layer that cannot be factored; if no layer becomes smaller; or if
            there is no accuracy to hold a drop against, or every share of energy loses more.

    Reference:
        Denton et al., Exploiting Linear Structure Within Convolutional Networks, NIPS 2014; Kim et al., ICLR 2016; Jin,
        Dundar and Culurciello, 2014.
    """
    found = {layer.name: factoring_of(layer, method) for layer in model.layers if type(layer) in FACTORABLE}
    numbers = choose(found, rank, layers)
    _refuse_named(found, choose(found, None, layers))
    if accuracy_drop is not None:
        energy = _energy_within(accuracy_drop, model, context, lambda share: choose_ranks(found, numbers, share)[0])
    chosen, reasons = choose_ranks(found, numbers, energy)
    if not chosen:
        told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or "none that is asked for"
        raise InputError(f"LowRank must have a layer that becomes smaller. Received: {told}.")
    network = factored(model, chosen)
    errors = output_errors(model, network, chosen, context.calibration_arrays(SAMPLES))
    context.train(network, epochs=epochs)
    rows = {name: _row(choice, errors[name]) for name, choice in chosen.items()}
    rows |= {name: {"status": "whole", "reason": reason} for name, reason in reasons.items()}
    lines = [{"layer": name, "class_name": type(model.get_layer(name)).__name__, **row} for name, row in rows.items()]
    return CompressionResult(copy_model(network), facts={"energy": energy, "layers": lines})


def _refuse_named(found: Mapping[str, Factoring | str], named: Mapping[str, int | None]) -> None:
    for name, reason in found.items():
        if named[name] and isinstance(reason, str):
            told = f"`layers` must give ranks to layers that can be factored. Received: {name!r}: {named[name]}"
            raise InputError(f"{told}, but {reason}. Give it 0, before other patterns.")


def _energy_within(
    points: float, model: Any, context: CompressionContext, choose_by: Callable[[float], Mapping[str, Choice]]
) -> float:
    """The smallest share of energy of a network that loses so many points at most, by halving the digits it has."""
    before = context.measure(model).accuracy
    if before is None:
        raise InputError(
            f"`accuracy_drop` must go with an output that is a class. Received: accuracy_drop={points!r}. Use `energy`."
        )

    def drop(digits: float) -> float:
        return 100 * (before - (context.measure(factored(model, choose_by(1 - 10**-digits))).accuracy or 0.0))

    low, high = 0.0, FINEST
    for _ in range(LOOKS):
        middle = (low + high) / 2
        low, high = (low, middle) if drop(middle) <= points else (middle, high)
    if high == FINEST and (least := drop(high)) > points:
        told = f"at least {math.ceil(100 * least) / 100:.2f} points, what {1 - 10**-FINEST:.2%} of the energy cost"
        cure = "Give more points, or 0 in `layers` to those that lose most."
        raise InputError(f"`accuracy_drop` must be {told}. Received: accuracy_drop={points!r}. {cure}")
    return 1 - 10**-high


def _row(choice: Choice, output_error: float) -> dict[str, Any]:
    """What is told of a layer; pairs are of before and after."""
    factoring, rank = choice.factoring, choice.rank
    values = factoring.layer.count_params()
    return {
        "status": factoring.method,
        "rank": list(rank),
        "parameters": [values, values - factoring.kernel.size + factoring.size(rank)],
        "macs": [None if macs.is_open else macs.fixed for macs in choice.macs],
        "kernel_error": round(factoring.error(rank), 6),
        "output_error": round(output_error, 6),
    }

"""Entropy-penalized training: weights become a learned step times integers that a coder writes in few bytes."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from trainkit.coding.integers import layout_of
from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.entropy.grid import Goal, OnGrid
from trainkit.deploy.compress.entropy.normalization import KINDS, absorb_statistics
from trainkit.deploy.compress.entropy.report import facts_of, steps_of
from trainkit.deploy.compress.kernels import kernels_of, promise_of
from trainkit.deploy.compress.reparameterized import Place, places_of, reparameterize, settled
from trainkit.deploy.compress.result import (
    DISTINCT,
    ZEROS,
    CompressionResult,
    Kind,
    Promise,
    count_distinct,
    count_zeros,
)
from trainkit.framework import tf
from trainkit.models.calls import count_calls
from trainkit.models.geometry import geometries

STEP = "EntropyPenalty"
RAMP = 0.25
"""Share of the training steps in which the penalty grows."""


def entropy_penalty(
    model: Any,
    *,
    penalty: Annotated[float, Ge(0)] = 0.25,
    bytes: Annotated[int | None, Ge(1)] = None,
    dropout: Annotated[float, Ge(0), Le(1)] = 0.0,
    epochs: Annotated[int, Ge(1)] = 20,
    context: CompressionContext,
) -> CompressionResult:
    """Train all weights as a learned step times integers, while the loss counts the bits of those integers.

    Kernels, recurrent ones too, biases, embeddings, whatever learns; frozen layers take part. What was pruned stays 0.
    Batch normalization learns as it is, and gives up its statistics afterwards.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        penalty: What a bit for each weight, on average, adds to the loss.
        bytes: How many the weights that are rounded are to need, by the estimate that is trained with: the penalty then
            changes until they do. None leaves it as it is.
        dropout: What the rates of `Dropout` layers are multiplied by while this trains, from 0 to 1. A network that
            drops keeps more weights; a small one that does not overfits.
        epochs: Passes over the training samples.
        context: What every compressor is told.

    Returns:
        A plain model whose weights are float32 products of a step and integers, and the promise of zeros and distinct
        values of its kernels.

    Reference:
        Oktay, Ballé, Singh and Shrivastava, Scalable Model Compression by Entropy Penalized Reparameterization,
        ICLR 2020.
    """
    copy = _prepared(model, dropout=dropout)
    sparse = {(promise.layer, promise.weight) for promise in context.promises if promise.kind == ZEROS}
    places = [place for layer in copy.layers for place in places_of(layer) if _is_learned(place)]
    values = sum(place.variable.shape.num_elements() for place in places)
    ramp = max(1, round(RAMP * epochs * context.steps_per_epoch))
    calls, found = count_calls(copy), geometries(copy)
    shapes = {layer.name: found.get(id(layer.kernel)) for layer in copy.layers if hasattr(layer, "kernel")}
    grids: list[OnGrid] = []
    goal = Goal(8.0 * bytes, lambda: tf.add_n([grid.bits for grid in grids])) if bytes else None

    def make(layer: str, place: Place) -> OnGrid | None:
        if not _is_learned(place):
            return None
        is_sparse = (layer, place.attribute) in sparse
        layout = layout_of(place.variable.shape, shapes.get(layer) if place.attribute == "kernel" else None)
        often = {"ramp": ramp, "calls": calls[layer]}
        grid = OnGrid(place.variable, price=penalty / values, goal=goal, keep_zeros=is_sparse, layout=layout, **often)
        grids.append(grid)
        return grid

    wrapped = reparameterize(copy, make)
    context.train(wrapped, epochs=epochs)
    steps = list(steps_of(wrapped))
    plain = settled(wrapped)
    steps += absorb_statistics(plain)
    for layer in plain.layers:
        before = model.get_layer(layer.name)
        layer.trainable = before.trainable
        if isinstance(layer, tf.keras.layers.Dropout):
            layer.rate = before.rate
    rounded = copy_model(plain)  # each layer of which stands in one graph, where its geometry is found
    copies = {id(mine): its for mine, its in zip(plain.weights, rounded.weights, strict=True)}
    facts = facts_of(rounded, [(layer, copies[id(variable)], step) for layer, variable, step in steps])
    return CompressionResult(rounded, tuple(_promises(rounded)), facts)


def _prepared(model: Any, *, dropout: float) -> Any:
    """A copy in which all layers learn; one of batch normalization only if it did: it would take up new statistics."""
    copy = copy_model(model)
    for layer in copy.layers:
        layer.trainable = layer.trainable or not isinstance(layer, KINDS)
        if isinstance(layer, tf.keras.layers.Dropout):
            layer.rate *= dropout
    return copy


def _is_learned(place: Place) -> bool:
    return place.variable.trainable and not isinstance(place.owner, KINDS)


def _promises(model: Any) -> list[Promise]:
    """What holds of the kernels: so many zeros, so many values."""
    promises = []
    for name, kernel in kernels_of(model).items():
        if np.any(kernel):
            limits: dict[Kind, int] = {ZEROS: count_zeros(kernel), DISTINCT: count_distinct(kernel)}
            promises += [promise_of(model, name, step=STEP, kind=kind, limit=limit) for kind, limit in limits.items()]
    return promises

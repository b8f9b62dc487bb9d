"""How much a network needs each group of channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.filters.channels import Channels, Group
from trainkit.deploy.compress.filters.rules import Tie
from trainkit.framework import tf

BATCHES = 32
"""Batches of training samples whose gradients `taylor` looks at."""

Scores = dict[int, float]
"""By the root of a group."""


def l1_scores(model: Any, channels: Channels, context: CompressionContext) -> Scores:
    """The sum of the sizes of a filter's weights.

    Reference:
        Li et al., Pruning Filters for Efficient ConvNets, ICLR 2017, section 3.1.
    """
    return _by_group(channels, ((tie.channels, _sum(np.abs(kernel), tie)) for tie, kernel in _kernels(model, channels)))


def l2_scores(model: Any, channels: Channels, context: CompressionContext) -> Scores:
    """The Euclidean length of a filter's weights."""
    squares = ((tie, _sum(np.square(kernel), tie)) for tie, kernel in _kernels(model, channels))
    return _by_group(channels, ((tie.channels, np.sqrt(values)) for tie, values in squares))


def batch_norm_scores(model: Any, channels: Channels, context: CompressionContext) -> Scores:
    """The size of the factor that batch normalization gives a channel; channels without one have no score.

    Reference:
        Liu et al., Learning Efficient Convolutional Networks through Network Slimming, ICCV 2017, section 3.
    """
    normalizing = _normalizing(model, channels)
    return _by_group(channels, ((numbers, np.abs(layer.gamma.numpy())) for layer, numbers in normalizing))


def taylor_scores(model: Any, channels: Channels, context: CompressionContext) -> Scores:
    """The square of what the loss would change, to first order, if a channel were 0; the mean over batches.

    It is taken where batch normalization scales and shifts the channel, else at kernel and bias of the filter.

    Reference:
        Molchanov et al., Importance Estimation for Neural Network Pruning, CVPR 2019, equation 8.
    """
    gates = list(_gates(model, channels))
    variables = [variable for _, parts in gates for variable, _ in parts]
    totals = [np.zeros(len(numbers)) for numbers, _ in gates]
    count = 0
    for gradients in context.gradients(model, variables, BATCHES):
        rest = iter(gradients)
        for total, (_, parts) in zip(totals, gates, strict=True):
            changes = (np.moveaxis(next(rest) * variable.numpy(), axis, 0) for variable, axis in parts)
            total += np.square(sum(change.reshape(len(change), -1).sum(axis=1) for change in changes))
        count += 1
    return _by_group(
        channels, ((numbers, total / max(count, 1)) for (numbers, _), total in zip(gates, totals, strict=True))
    )


CRITERIA: dict[str, Callable[[Any, Channels, CompressionContext], Scores]] = {
    "l1": l1_scores,
    "l2": l2_scores,
    "batch_norm": batch_norm_scores,
    "taylor": taylor_scores,
}
"""`criterion(model, channels, context)`: the score of each group, by the word for it."""


def normalized(scores: Mapping[int, float], groups: Sequence[Group]) -> Scores:
    """Scores that can be compared across layers: those of the groups of the same makers have the length 1.

    Reference:
        Molchanov et al., Pruning Convolutional Neural Networks for Resource Efficient Inference, ICLR 2017,
        section 2.2.
    """
    lengths: dict[tuple[str, ...], float] = {}
    scored = [group for group in groups if group.root in scores]
    for group in scored:
        lengths[group.makers] = lengths.get(group.makers, 0.0) + scores[group.root] ** 2
    return {group.root: scores[group.root] / (np.sqrt(lengths[group.makers]) or 1.0) for group in scored}


def _by_group(channels: Channels, parts: Iterator[tuple[np.ndarray, np.ndarray]]) -> Scores:
    """The sums over the channels that go together."""
    scores: Scores = {}
    for numbers, values in parts:
        for root, value in zip(channels.roots(numbers).tolist(), values.tolist(), strict=True):
            scores[root] = scores.get(root, 0.0) + value
    return scores


def _kernels(model: Any, channels: Channels) -> Iterator[tuple[Tie, np.ndarray]]:
    for name, tie in channels.makers().items():
        yield tie, getattr(model.get_layer(name), tie.weight).numpy()


def _sum(values: np.ndarray, tie: Tie) -> np.ndarray:
    """Over all axes but that of the filters."""
    return np.moveaxis(values, tie.axis, 0).reshape(values.shape[tie.axis], -1).sum(axis=1)


def _normalizing(model: Any, channels: Channels) -> Iterator[tuple[Any, np.ndarray]]:
    """The batch normalizations that scale channels, with the channels."""
    for layer in model.layers:
        passed = channels.of(layer.name)
        if passed is not None and isinstance(layer, tf.keras.layers.BatchNormalization) and layer.scale:
            yield layer, passed.gives


def _gates(model: Any, channels: Channels) -> Iterator[tuple[np.ndarray, list[tuple[Any, int]]]]:
    """Where channels can be set to 0: their numbers, and the variables with the axis of the channels."""
    scaled: set[int] = set()
    for layer, numbers in _normalizing(model, channels):
        scaled |= set(channels.roots(numbers).tolist())
        yield numbers, [(variable, -1) for variable in (layer.gamma, layer.beta) if variable is not None]
    for name, tie in channels.makers().items():
        if not scaled >= set(channels.roots(tie.channels).tolist()):
            layer = model.get_layer(name)
            bias = [] if layer.bias is None else [(layer.bias, -1)]
            yield tie.channels, [(getattr(layer, tie.weight), tie.axis), *bias]

"""Which layers of Keras are one step of the file."""

from __future__ import annotations

from typing import Any

from trainkit.deploy.compress.quantization import kinds
from trainkit.framework import tf
from trainkit.models.calls import Graph


def fused(graph: Graph, layer: Any) -> list[Any]:
    """The layers that the file computes in one step, beginning with one: convolution, BatchNormalization, ReLU.

    Args:
        graph: Of an expanded network.
        layer: The first of them. If it is called several times, the others are called as often, and after it.
    """
    chains = [_follow(graph, call) for call in graph.of(layer)]
    common = [layer]
    for others in zip(*chains, strict=False):
        follower = others[0]
        if any(other is not follower for other in others) or len(graph.of(follower)) != len(chains):
            break
        common.append(follower)
    return common


def _follow(graph: Graph, call: Any) -> list[Any]:
    """The layers after a call that are fused into it."""
    layer = call.layer
    has_kernel, chain = kinds.kernel_of(layer) is not None, []
    may_fold = has_kernel and kinds.activation_of(layer) == "linear"
    may_clip = type(layer) is not tf.keras.layers.Conv2DTranspose and (may_fold or not has_kernel)
    taker = graph.only_taker(call)
    while taker:
        if may_fold and _folds(taker):
            may_fold = False
            chain.append(taker.layer)
        elif may_clip and kinds.is_relu(taker.layer):
            chain.append(taker.layer)
            break
        elif not kinds.is_identity(taker):
            break
        taker = graph.only_taker(taker)
    return chain


def _folds(call: Any) -> bool:
    """Whether a call scales each channel, the last axis, by the same numbers for all samples."""
    norm = call.layer
    if type(norm) is not tf.keras.layers.BatchNormalization or call.call_kwargs.get("training"):
        return False
    return list(norm.axis) == [call.keras_inputs[0].shape.rank - 1]


def preprocessing(graph: Graph) -> set[int]:
    """The calls, by id, before which no layer has a kernel, and which have none themselves."""
    before: set[int] = set()
    for call in graph.calls:
        if not kinds.kernel_of(call.layer) and all(id(maker) in before for maker in graph.makers(call)):
            before.add(id(call))
    return before

"""Weight clustering: the values of each kernel become a few shared ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.copying import copy_model, wrap_layers
from trainkit.deploy.compress.kernels import choose, kernels_of, promise_of
from trainkit.deploy.compress.result import DISTINCT, CompressionResult, Promise, promised_zeros
from trainkit.deploy.compress.tfmot import ClusterWeights, clustering, sparsity
from trainkit.errors import InputError
from trainkit.framework import tf

PARTS = ("sparsity_masks", "zero_idx")
"""What a wrapper of TFMOT has as tensors, not as variables."""


def cluster(
    model: Any,
    *,
    clusters: Annotated[int, Ge(2)] = 16,
    layers: Annotated[dict[str, int] | None, Ge(0)] = None,
    epochs: Annotated[int, Ge(1)] = 1,
    context: CompressionContext,
) -> CompressionResult:
    """Give the weights of each kernel a few values to share, found by k-means, and train those values.

    Weights that pruning has set to 0 stay 0; 0 is then one of the shared values. Frozen layers take part.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        clusters: Distinct values of each kernel.
        layers: Numbers of their own for patterns of layer names, the first that fits; 0 leaves a layer alone:
            `{conv1: 0, "dense*": 8}`.
        epochs: Passes over the training samples.
        context: What every compressor is told.

    Returns:
        A plain model, and the promise of its distinct values.

    Raises:
        InputError: If a pattern fits no layer, a number is 1, or there is nothing to share.

    Reference:
        Han et al., Deep Compression, ICLR 2016, section 3.
    """
    for pattern, count in (layers or {}).items():
        if count == 1:
            raise InputError(f"`layers` must give 2 and more clusters, or 0. Received: {pattern!r}: 1.")
    kernels, sparse = kernels_of(model), promised_zeros(context.promises)
    counts = _counts(kernels, choose(kernels, clusters, layers), context.promises)
    if not counts:
        told = f"Cluster must have a kernel of more values than {clusters}, that are not 0 and not left out by `layers`"
        raise InputError(f"{told}. Received: none.")

    def wrap(layer: Any) -> Any:
        if layer.name not in counts:
            return _keep_zeros(layer, sparse[layer.name]) if layer.name in sparse else layer
        layer.trainable = True  # of a frozen layer TFMOT finds no weights
        return clustering.cluster_weights(
            layer,
            number_of_clusters=counts[layer.name],
            cluster_centroids_init=clustering.CentroidInitialization.KMEANS_PLUS_PLUS,
            preserve_sparsity=layer.name in sparse,
        )

    wrapped = wrap_layers(model, wrap)
    masks = [sparsity.UpdatePruningStep()] if sparse.keys() - counts else []
    context.train(wrapped, epochs=epochs, callbacks=[ClusterMemory(wrapped), *masks])
    stripped = sparsity.strip_pruning(clustering.strip_clustering(wrapped))
    for layer in stripped.layers:
        layer.trainable = model.get_layer(layer.name).trainable
    shared = copy_model(stripped)  # in which variables have the names of their layers again
    promises = (promise_of(shared, name, step="Cluster", kind=DISTINCT, limit=count) for name, count in counts.items())
    return CompressionResult(shared, tuple(promises))


class ClusterMemory(tf.keras.callbacks.Callback):
    """Keeps what TFMOT's wrappers know besides their variables: which weights are 0, and which shared value is.

    Args:
        wrapped: A model with such wrappers.
    """

    asked_every_batch = True
    """What it gives back are tensors: no training step may be built, and tried, before."""

    def __init__(self, wrapped: Any) -> None:
        super().__init__()
        self._supports_tf_logs = True  # else Keras waits for every batch's metrics
        found = (layer for layer in wrapped.layers if isinstance(layer, ClusterWeights))
        self._wrappers = {layer.name: layer for layer in found if layer.preserve_sparsity}

    def get_state(self) -> dict[str, Any]:
        """Masks and indices, by layer and weight."""
        return {name: {part: _arrays(getattr(one, part)) for part in PARTS} for name, one in self._wrappers.items()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Give them back, before Keras builds a training step of them."""
        for name, parts in state.items():
            for part, arrays in parts.items():
                getattr(self._wrappers[name], part).update({key: tf.constant(one) for key, one in arrays.items()})


def _arrays(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _keep_zeros(layer: Any, share: float) -> Any:
    """A layer that is not clustered, whose zeros stay: the mask is chosen once, in the first step."""
    once = sparsity.ConstantSparsity(share, begin_step=1, frequency=2**31 - 1)  # it counts steps from 1
    return sparsity.prune_low_magnitude(layer, once)


def _counts(
    kernels: Mapping[str, np.ndarray], wanted: Mapping[str, int], promises: Sequence[Promise]
) -> dict[str, int]:
    """How many values each kernel that is clustered has: never more than was promised before.

    A kernel of as few values has nothing to share; of one that was pruned, 0 and those that are left count.
    """
    promised = {promise.layer: promise.limit for promise in promises if promise.kind == DISTINCT}
    sparse = promised_zeros(promises)
    sizes = {name: np.count_nonzero(one) + 1 if name in sparse else one.size for name, one in kernels.items()}
    limits = {name: (wanted[name] or promised.get(name, 0), promised.get(name)) for name in kernels}
    counts = {name: min(count, before or count) for name, (count, before) in limits.items()}
    return {name: int(count) for name, count in counts.items() if 0 < count < sizes[name]}

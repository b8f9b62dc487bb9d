"""Weight clustering: the values of each kernel become a few shared ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.kernels import choose, is_kernel, kernels_of, promise_of
from trainkit.deploy.compress.masks import Mask
from trainkit.deploy.compress.reparameterized import Place, reparameterize, settled
from trainkit.deploy.compress.result import DISTINCT, CompressionResult, Promise, promised_zeros
from trainkit.deploy.compress.sharing import Shared
from trainkit.errors import InputError


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

    def make(layer: str, place: Place) -> Shared | Mask | None:
        if not is_kernel(place.owner, place.attribute):
            return None
        if layer in counts:
            return Shared(place.variable, clusters=counts[layer], keep_zeros=layer in sparse)
        return Mask(place.variable, keep_zeros=True) if layer in sparse else None

    wrapped = reparameterize(model, make)
    for layer in wrapped.layers:
        layer.trainable = layer.trainable or layer.name in counts
    context.train(wrapped, epochs=epochs)
    plain = settled(wrapped)
    for layer in plain.layers:
        layer.trainable = model.get_layer(layer.name).trainable
    shared = copy_model(plain)
    promises = (promise_of(shared, name, step="Cluster", kind=DISTINCT, limit=count) for name, count in counts.items())
    return CompressionResult(shared, tuple(promises))


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

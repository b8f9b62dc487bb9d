"""Deep Compression: pruning, then weights that share a few values, counted in the storage format of the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Lt

from trainkit.coding.sparse_rows import SparseSize, sparse_size
from trainkit.coding.tensors import without_sign, write_tensor
from trainkit.deploy.compress.cluster import cluster
from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.kernels import KERNELS, choose, kernels_of, variables_of
from trainkit.deploy.compress.prune import prune
from trainkit.deploy.compress.result import CompressionResult
from trainkit.errors import InputError
from trainkit.models.geometry import geometries


def deep_compression(
    model: Any,
    *,
    sparsity: Annotated[float, Ge(0), Lt(1)] = 0.9,
    layers: Annotated[dict[str, float] | None, Ge(0), Lt(1)] = None,
    clusters: Annotated[int, Ge(2)] = 32,
    layer_clusters: Annotated[dict[str, int] | None, Ge(0)] = None,
    epochs: Annotated[int, Ge(1)] = 4,
    cluster_epochs: Annotated[int, Ge(1)] = 1,
    context: CompressionContext,
) -> CompressionResult:
    """Prune the kernels, and let what is left share a few values; the exporter `Tkz` codes both.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        sparsity: Share of the values of each kernel that become 0.
        layers: Sparsities of their own for patterns of layer names, the first that fits.
        clusters: Distinct values of each kernel, 0 among them.
        layer_clusters: Numbers of their own for patterns of layer names; 0 leaves the values of a layer alone.
        epochs: Passes over the training samples while the kernels are pruned.
        cluster_epochs: Passes while the shared values are trained.
        context: What every compressor is told.

    Returns:
        A plain model, the promises of its zeros and of its distinct values, and per kernel what it comes to in the
        storage format of the paper and in a .tkz file.

    Raises:
        InputError: If a pattern fits no layer, or there is nothing to prune or to share.

    Reference:
        Han et al., Deep Compression, ICLR 2016, sections 2 to 4.
    """
    kernels = kernels_of(model)
    shares = choose(kernels, sparsity, layers)
    _check(kernels, shares, choose(kernels, clusters, layer_clusters, argument="layer_clusters"), clusters)
    pruned = prune(model, sparsity=sparsity, layers=layers, epochs=epochs, context=context)
    after = context.after(pruned.promises)
    shared = cluster(pruned.model, clusters=clusters, layers=layer_clusters, epochs=cluster_epochs, context=after)
    for variable in variables_of(shared.model):
        variable.assign(without_sign(variable.numpy()))
    promised = {promise.layer for promise in (*pruned.promises, *shared.promises)}
    facts = storage_facts(shared.model, [name for name in kernels_of(shared.model) if name in promised])
    return CompressionResult(shared.model, (*pruned.promises, *shared.promises), facts)


def _check(
    kernels: Mapping[str, np.ndarray], shares: Mapping[str, float], counts: Mapping[str, int], clusters: int
) -> None:
    """Refuse, before anything is trained, what would leave no kernel whose values can be shared."""
    left = {name: round((1 - shares[name]) * kernel.size) for name, kernel in kernels.items()}
    if not any(0 < counts[name] <= size for name, size in left.items()):
        told = f"more than {clusters} values once 0 counts as one of them, that is not left out by `layer_clusters`"
        raise InputError(f"DeepCompression must leave a kernel of {told}. Received: none.")


def storage_facts(model: Any, layers: Sequence[str]) -> dict[str, Any]:
    """What kernels of shared values come to, ready for JSON.

    Args:
        model: A `tf.keras.Model`.
        layers: The names of their layers.

    Returns:
        `storage`: of each kernel, and of all together, what the paper's table 2 tells: the share of values that are
        not 0; the bits of a weight and of a distance; the share of float32's bytes that both take with their table
        (`rate`); the same Huffman coded. `tkz_bytes` are those of a .tkz file.
    """
    kernels, places = kernels_of(model), geometries(model)
    rows: list[tuple[SparseSize, int]] = []
    for name in layers:
        kernel = without_sign(kernels[name])
        variable = getattr(model.get_layer(name), KERNELS[type(model.get_layer(name))])
        rows.append((sparse_size(kernel), len(write_tensor(kernel, geometry=places.get(id(variable))))))
    named = zip([*layers, "all"], [*([row] for row in rows), rows], strict=True)
    return {"storage": [{"layer": name} | _row(some) for name, some in named]}


def _row(rows: Sequence[tuple[SparseSize, int]]) -> dict[str, float]:
    sizes = [size for size, _ in rows]
    values, stored = sum(size.values for size in sizes), sum(size.kept + size.fillers for size in sizes)

    def mean(bits: Sequence[float]) -> float:
        pairs = zip(bits, sizes, strict=True)
        return round(sum(one * (size.kept + size.fillers) for one, size in pairs) / max(1, stored), 2)

    plain, coded = sum(size.bytes for size in sizes), sum(size.coded_bytes for size in sizes)
    return {
        "values": values,
        "kept_percent": round(100 * sum(size.kept for size in sizes) / values, 2),
        "weight_bits": mean([size.weight_bits for size in sizes]),
        "coded_weight_bits": mean([size.coded_weight_bits for size in sizes]),
        "index_bits": mean([size.index_bits for size in sizes]),
        "coded_index_bits": mean([size.coded_index_bits for size in sizes]),
        "bytes": plain,
        "rate_percent": round(100 * plain / (4 * values), 2),
        "coded_bytes": coded,
        "coded_rate_percent": round(100 * coded / (4 * values), 2),
        "tkz_bytes": sum(tkz_bytes for _, tkz_bytes in rows),
    }

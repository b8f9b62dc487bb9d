"""The Keras layer that an operation of an exported file was made from, by the names that converters leave."""

from __future__ import annotations

from collections.abc import Sequence


def layer_of(name: str) -> str:
    """The layer that a tensor or node comes from, or nothing where its name does not tell.

    Names are `model/layer/Operation`, joined by `;` where several were fused.

    Example:
        >>> layer_of("net/block/conv/Relu;net/block/conv/BiasAdd"), layer_of("StatefulPartitionedCall:0")
        ('block/conv', '')
    """
    parts = name.split(";")[0].split("/")
    return "/".join(parts[1:-1]) if len(parts) > 2 else ""


def outermost(layers: Sequence[str]) -> list[str]:
    """The layers that the layers of a file are of: some Keras layers name parts of themselves, as `conv1d/Conv1D`.

    Example:
        >>> outermost(["conv1d/Conv1D", "conv1d", "encoder/conv", ""])
        ['conv1d', 'conv1d', 'encoder/conv', '']
    """
    known = set(layers)
    return [next((above for above in _above(layer) if above in known), layer) for layer in layers]


def _above(layer: str) -> list[str]:
    """What is above a layer, from the outermost on: `a`, `a/b` of `a/b/c`."""
    parts = layer.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]

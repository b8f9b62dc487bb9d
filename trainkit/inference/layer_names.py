"""The Keras layer that an operation of an exported file was made from, by the names that converters leave."""

from __future__ import annotations


def layer_of(name: str) -> str:
    """The layer that a tensor or node comes from, or nothing where its name does not tell.

    Names are `model/layer/Operation`, joined by `;` where several were fused.

    Example:
        >>> layer_of("net/block/conv/Relu;net/block/conv/BiasAdd"), layer_of("StatefulPartitionedCall:0")
        ('block/conv', '')
    """
    parts = name.split(";")[0].split("/")
    return "/".join(parts[1:-1]) if len(parts) > 2 else ""

"""Stand-ins for layers that make categories of numbers, and numbers of categories, by operations every format has."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainkit.errors import ExportError
from trainkit.framework import tf
from trainkit.inference.steps import Lookup

LOOKUPS = (tf.keras.layers.StringLookup, tf.keras.layers.IntegerLookup)
MOST_CATEGORIES = 4096
"""A file holds a row and a column for each: 64 MB in float32."""


class Encode(tf.keras.layers.Layer):
    """One-hot, multi-hot or counts: the rows of a table at some ids, put together over the last axis of the ids.

    Args:
        table: A row an id, shape `(ids, depth)`.
        summed: Whether rows are added; else the largest values are taken.
        checked: Whether a negative id, which ONNX would count from the end, must be refused as any other without a row.
    """

    def __init__(self, table: np.ndarray, *, summed: bool, checked: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._table = table
        self._summed = summed
        self._checked = checked

    def call(self, ids: Any) -> Any:
        """Encode one batch, shape `(batch,)` or `(batch, ids)`."""
        ids = tf.cast(ids, tf.int32)
        if self._checked:
            ids = tf.where(ids < 0, len(self._table), ids)
        rows = tf.gather(tf.constant(self._table, self.compute_dtype), ids)
        if ids.shape.rank < 2:
            return rows
        if ids.shape[-1] == 1:
            return tf.squeeze(rows, -2)
        return tf.reduce_sum(rows, -2) if self._summed else tf.reduce_max(rows, -2)


class Bucketize(tf.keras.layers.Layer):
    """The id of a number's range: how many boundaries it has reached; all of them where it is missing.

    Args:
        boundaries: In ascending order.
    """

    def __init__(self, boundaries: list[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._boundaries = boundaries

    def call(self, inputs: Any) -> Any:
        """Ids of one batch, int32."""
        below = tf.cast(inputs, tf.float32)[..., tf.newaxis] < tf.constant(self._boundaries, tf.float32)
        return len(self._boundaries) - tf.reduce_sum(tf.cast(below, tf.int32), -1)


def identity(layer: Any) -> Any:
    """A layer of the same name that does nothing."""
    return tf.keras.layers.Activation("linear", name=layer.name)


def named(layer: Any) -> str:
    """A layer, for messages."""
    return f"layer `{layer.name}` ({type(layer).__name__})"


def lookup_of(layer: Any) -> Lookup:
    """What a `StringLookup` or `IntegerLookup` does, with the ids of its output mode `int`.

    Raises:
        ExportError: If a format could not do the same.
    """
    if layer.invert:
        raise ExportError(f"{named(layer)} must make ids of categories to be exported. Received: invert=True.")
    if layer.num_oov_indices > 1:
        raise ExportError(
            f"{named(layer)} must have one id for all unknown categories to be exported: only TensorFlow knows how it "
            f"hashes a category. Received: num_oov_indices={layer.num_oov_indices}. Write `num_oov_indices: 1`."
        )
    kind = str if layer.vocabulary_dtype == tf.string else int
    vocabulary = tuple(kind(token) for token in layer.get_vocabulary(include_special_tokens=False))
    if not vocabulary:
        raise ExportError(f"{named(layer)} must have a vocabulary to be exported. Received: none. Adapt it.")
    masked = layer.mask_token is not None
    return Lookup(
        vocabulary,
        offset=int(masked) + layer.num_oov_indices,
        default=int(masked) if layer.num_oov_indices else None,
        mask=kind(layer.mask_token) if masked else None,
    )


def encode_lookup(layer: Any) -> Any:
    """What a lookup does after `lookup_of`."""
    if layer.output_mode == "int":
        return identity(layer)
    depth = layer.max_tokens if layer.pad_to_max_tokens else layer.vocabulary_size()
    table = _table(layer, layer.vocabulary_size(), depth)
    if layer.output_mode == "tf_idf":
        table *= layer.idf_weights.numpy()
    if layer.mask_token is not None:
        table = np.concatenate([np.zeros((1, depth), np.float32), table])
    return _encode(layer, table)


def encode_categories(layer: Any) -> Any:
    """What a `CategoryEncoding` does."""
    return _encode(layer, _table(layer, layer.num_tokens, layer.num_tokens), checked=True)


def discretize(layer: Any) -> Any:
    """What a `Discretization` does.

    Raises:
        ExportError: If it has no boundaries.
    """
    boundaries = list(layer.bin_boundaries)
    if not boundaries:
        raise ExportError(
            f"{named(layer)} must have boundaries to be exported. Received: none. Write `bin_boundaries`, or adapt it."
        )
    if layer.output_mode == "int":
        return Bucketize(boundaries, name=layer.name)
    ranges = len(boundaries) + 1
    encode = _encode(layer, _table(layer, ranges, ranges))
    return tf.keras.Sequential([Bucketize(boundaries), encode], name=layer.name)


def _table(layer: Any, ids: int, depth: int) -> np.ndarray:
    if depth > MOST_CATEGORIES:
        raise ExportError(
            f"{named(layer)} must have at most {MOST_CATEGORIES:,} categories to be exported. Received: {depth:,}. Let "
            "it give ids, `output_mode: int`, to an Embedding."
        )
    return np.eye(ids, depth, dtype=np.float32)


def _encode(layer: Any, table: np.ndarray, *, checked: bool = False) -> Any:
    if layer.sparse:
        received = "Received: sparse=True. Leave `sparse` out."
        raise ExportError(f"{named(layer)} must give dense values to be exported. {received}")
    return Encode(table, summed=layer.output_mode in ("count", "tf_idf"), checked=checked, name=layer.name)

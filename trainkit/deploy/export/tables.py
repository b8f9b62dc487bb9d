"""Take out of a model over tables what its file cannot hold, and rewrite what no format knows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from trainkit.deploy.export.encodings import LOOKUPS, discretize, encode_categories, encode_lookup, identity, named
from trainkit.deploy.export.walk import Walk, consumers
from trainkit.errors import ExportError
from trainkit.framework import tf
from trainkit.inference.preprocess import Preprocess
from trainkit.models.calls import nodes_of
from trainkit.models.layers import Impute

_REWRITTEN = {
    tf.keras.layers.CategoryEncoding: encode_categories,
    tf.keras.layers.Discretization: discretize,
}


def split_tables(model: Any, *, numbers: bool) -> tuple[Any, Preprocess | None]:
    """Split a model into what is done to raw columns before the file, and the model of the file.

    Before the file come `StringLookup` and `IntegerLookup`, of which the file takes ids, int32. With `numbers` come
    `Impute`, and the `Normalization` of several features: integers of 8 bits know no missing number, and one scale for
    grams and millimetres leaves nothing of the millimetres.

    Args:
        model: A `tf.keras.Model`; it is not changed.
        numbers: Whether numbers, too, are treated before the file.

    Returns:
        The model of the file, which is `model` itself where nothing has to change; and what is done before, or None.

    Raises:
        ExportError: If a layer cannot be carried over, or does not stand directly after an input and would have to.
    """
    walks = [Walk(model, tensor, numbers=numbers) for tensor in model.inputs]
    gone = [node for walk in walks for node in walk.nodes]
    leaves = [layer for layer in model._flatten_layers(include_self=False) if not isinstance(layer, tf.keras.Model)]
    for layer in leaves:
        if isinstance(layer, (*LOOKUPS, Impute) if numbers else LOOKUPS):
            _check_gone(model, layer, gone)
    for name, walk in zip(model.input_names, walks, strict=True):
        _check_texts(model, name, walk)
    if not gone and not any(type(layer) in _REWRITTEN for layer in leaves):
        return model, None
    columns = {name: walk.column for name, walk in zip(model.input_names, walks, strict=True) if walk.steps}
    inner = _clone(model, [walk.new_input() for walk in walks], {id(node.layer) for node in gone})
    return inner, Preprocess(columns) if columns else None


def _check_gone(model: Any, layer: Any, gone: Sequence[Any]) -> None:
    """Refuse a layer that stays in the model, in one place or another."""
    calls = [node for node in nodes_of(model) if node.layer is layer]
    left = [node for node in calls if node not in gone]
    if calls and not left:
        return
    place = "inside another layer"
    if left:
        before = left[0].keras_inputs[0]
        beside = [f"`{node.layer.name}`" for node in consumers(model, [before]) if node is not left[0]]
        place = " beside ".join([f"after `{before._keras_history.layer.name}`", *beside])
    raise ExportError(
        f"{named(layer)} must stand directly after an input, with none beside it that "
        f"does something else, to be exported. Received: it stands {place}."
    )


def _check_texts(model: Any, name: str, walk: Walk) -> None:
    if walk.tensor.dtype == tf.string and not walk.steps:
        into = ", ".join(f"`{node.layer.name}`" for node in consumers(model, [walk.tensor]))
        raise ExportError(
            f"input `{name}` must go into a StringLookup to be exported: a file holds no other work on texts. "
            f"Received: it goes into {into}."
        )


def _clone(model: Any, inputs: list[Any], gone: Collection[int]) -> Any:
    """The model on other inputs, with weights of its own of the same values."""
    pairs = []

    def clone_layer(layer: Any) -> Any:
        if id(layer) in gone:
            return encode_lookup(layer) if isinstance(layer, LOOKUPS) else identity(layer)
        if type(layer) in _REWRITTEN:
            return _REWRITTEN[type(layer)](layer)
        if isinstance(layer, tf.keras.Model):
            return tf.keras.models.clone_model(layer, clone_function=clone_layer)
        pairs.append((layer, type(layer).from_config(layer.get_config())))
        return pairs[-1][1]

    clone = tf.keras.models.clone_model(model, inputs if len(inputs) > 1 else inputs[0], clone_layer)
    for old, new in pairs:
        new.set_weights(old.get_weights())
    return clone

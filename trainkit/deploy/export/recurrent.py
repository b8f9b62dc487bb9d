"""Recurrent networks as TensorFlow Lite can hold them: for one sample, or step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from trainkit.deploy.export.encodings import named
from trainkit.errors import ExportError
from trainkit.framework import tf
from trainkit.models.phone import Need, phone_needs
from trainkit.models.targets.recurrent import is_recurrent, uncountable_steps

_layers = tf.keras.layers
_LOOPS = {_layers.LSTM: tf.compat.v1.keras.layers.LSTM, _layers.GRU: tf.compat.v1.keras.layers.GRU}
"""Layers of the same weights and answers that the converter writes as a loop.

Of Keras' own LSTM it makes one operation that keeps its state from one call to the next: the second sample that an app
gives would be answered as if it were the end of the first.
"""


def without_lists(model: Any, *, integers: bool) -> Any:
    """A model whose recurrent layers TensorFlow Lite can hold, and that answers the same.

    Real numbers are computed in a loop, for which the batch has to be one sample; the number of steps may stay free.
    Integers cannot be calibrated in a loop (the converter crashes): each step is written out.

    Args:
        model: A `tf.keras.Model`; it is not changed.
        integers: Whether the file computes with integers.

    Returns:
        The same model where nothing has to change; else one with weights of its own.

    Raises:
        ExportError: If a recurrent layer cannot be one of integers.
    """
    needs = [need for need in phone_needs(model) if need.need is Need.BATCH_1]
    recurrent = list(_recurrent(model))
    if integers:
        _check_steps(recurrent)
    if not needs:
        return model
    batch = None if integers and all(need.can_unroll for need in needs) else 1
    return _clone(model, batch, lambda layer: _remade(layer, unroll=integers) if layer in recurrent else None)


def _recurrent(model: Any) -> Iterator[Any]:
    """The recurrent layers; of wrappers the whole."""
    for layer in model.layers:
        if isinstance(layer, tf.keras.Model):
            yield from _recurrent(layer)
        elif is_recurrent(layer):
            yield layer


def _check_steps(recurrent: list[Any]) -> None:
    for layer in recurrent:
        if (lack := uncountable_steps(layer)) is not None:
            raise ExportError(f"{named(layer)} {lack.rule} {lack.cure}")


def _remade(layer: Any, *, unroll: bool) -> Any:
    """A recurrent layer, or what it is wrapped in, that is written as a loop, or step by step."""
    if isinstance(layer, _layers.Bidirectional):
        forward, backward = (_remade(one, unroll=unroll) for one in (layer.forward_layer, layer.backward_layer))
        return _layers.Bidirectional(forward, layer.merge_mode, backward_layer=backward, name=layer.name)
    if isinstance(layer, _layers.TimeDistributed):
        return _layers.TimeDistributed(_remade(layer.layer, unroll=unroll), name=layer.name)
    config = layer.get_config()
    if not isinstance(layer, _layers.RNN):
        return type(layer).from_config(config)
    return _LOOPS.get(type(layer), type(layer)).from_config(config | {"unroll": unroll or layer.unroll})


def _clone(model: Any, batch: int | None, remake: Callable[[Any], Any | None]) -> Any:
    """The model for batches of a size, with weights of its own of the same values."""
    pairs = []

    def clone_layer(layer: Any) -> Any:
        if isinstance(layer, tf.keras.Model):
            return tf.keras.models.clone_model(layer, clone_function=clone_layer)
        pairs.append((layer, remake(layer) or type(layer).from_config(layer.get_config())))
        return pairs[-1][1]

    named_inputs = zip(model.input_names, model.inputs, strict=True)
    inputs = [tf.keras.Input(tensor.shape[1:], batch, dtype=tensor.dtype, name=name) for name, tensor in named_inputs]
    clone = tf.keras.models.clone_model(model, inputs if len(inputs) > 1 else inputs[0], clone_layer)
    for old, new in pairs:
        new.set_weights(old.get_weights())
    return clone

"""A layer -> the nodes that make one like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainkit.framework import tf
from trainkit.models.describe.arguments import arguments_of, class_named
from trainkit.models.describe.step import RefusalError

LONGEST_VOCABULARY = 1_000
"""Words of the longest vocabulary that is written into a config."""
LEARNED_AS_ARGUMENTS = ("Normalization",)
"""Layers whose weights are written as arguments: the one that is built again has none."""
_LOOKUPS = ("IntegerLookup", "StringLookup", "TextVectorization")
_CURE = "Write it with layers of Keras, and save the model again"


def describe_layer(layer: Any, *, rank: int, trainable: bool) -> list[tuple[str, dict[str, Any]]]:
    """What makes a layer: class and arguments; of two where its activation is a layer itself.

    Args:
        layer: Of tf_keras, or one that TrainKit adds to those.
        rank: The number of axes of what it is called with, with the batch.
        trainable: Whether it learns, by what it says itself and by the models that it is in.

    Raises:
        RefusalError: If the language has no such layer, or not its arguments.
    """
    class_name = _class_name(layer)
    config = settle(layer, rank) | {"trainable": trainable or not layer.weights}
    activation = config.get("activation")
    if not (isinstance(activation, Mapping) and class_name != "Activation" and _is_layer(activation)):
        return [(class_name, arguments_of("layer", class_name, config))]
    after = arguments_of("layer", activation["class_name"], activation["config"])
    before = arguments_of("layer", class_name, config | {"activation": None})
    return [(class_name, before), (activation["class_name"], after)]


def settle(layer: Any, rank: int) -> dict[str, Any]:
    """The config of a layer, with what it has learned in the place of arguments, and axes as nobody has to count them.

    Raises:
        RefusalError: If it has learned more than arguments can say, or keeps a state between batches.
    """
    class_name, config = type(layer).__name__, dict(layer.get_config())
    if config.get("stateful"):
        raise RefusalError(
            "it keeps its state from batch to batch, which needs a fixed batch size. Use `stateful=False`"
        )
    if class_name == "Normalization" and config["mean"] is None and layer.built:
        config |= {"mean": _same(layer.adapt_mean), "variance": _same(layer.adapt_variance)}
    if class_name == "Discretization" and config["bin_boundaries"] is None and layer.bin_boundaries:
        config |= {"bin_boundaries": list(layer.bin_boundaries), "num_bins": None}
    if class_name in _LOOKUPS:
        config |= _vocabulary(layer, config)
    if class_name == "MultiHeadAttention" and list(config["attention_axes"] or ()) == list(range(1, rank - 1)):
        config["attention_axes"] = None
    if (axis := _axis(config.get("axis"))) is not None:
        config["axis"] = -1 if axis == rank - 1 else axis
    if isinstance(inner := getattr(layer, "layer", None), tf.keras.layers.Layer):
        if isinstance(inner, tf.keras.Model):
            raise RefusalError("it has a model inside. Put each layer of that model into one of its own")
        inner_rank = rank - 1 if class_name == "TimeDistributed" else rank
        config["layer"] = config["layer"] | {"config": settle(inner, inner_rank)}
    return config


def _class_name(layer: Any) -> str:
    class_name = type(layer).__name__
    if isinstance(layer, tf.keras.Model):
        raise RefusalError(f"it is a model whose `call` is written in Python. {_CURE}")
    try:
        is_known = class_named("layer", class_name) is type(layer)
    except RefusalError:
        is_known = False
    if not is_known:
        raise RefusalError(f"the config language has no such layer. {_CURE}")
    return class_name


def _is_layer(value: Mapping[str, Any]) -> bool:
    return isinstance(getattr(tf.keras.layers, str(value.get("class_name")), None), type)


def _axis(value: Any) -> int | None:
    """The axis that a layer names, alone or in a list."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    return value if type(value) is int else None


def _same(variable: Any) -> Any:
    """The values of a variable; one number where they are all alike."""
    values = variable.numpy()
    return values.flat[0] if values.size and (values == values.flat[0]).all() else values


def _vocabulary(layer: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    words = layer.get_vocabulary(include_special_tokens=False)
    if not words:
        return {"vocabulary": None}
    if len(words) > LONGEST_VOCABULARY:
        raise RefusalError(
            f"its vocabulary has {len(words):,} entries, of which a config takes {LONGEST_VOCABULARY:,}. Save the "
            "model with an Input of numbers in its place, and look the words up before"
        )
    if config.get("output_mode") == "tf_idf":
        raise RefusalError("it has learned how rare each word is (tf_idf), which is not carried over")
    return {"vocabulary": list(words)}

"""A chain of layers -> tf.keras.Model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trainkit.config import Model, Node, NodeError, automatic_names
from trainkit.framework import tf
from trainkit.objects import build

INPUT_NAME = "input"
"""The name of the one input."""


def build_model(
    settings: Model, scope: Mapping[str, Any], *, name: str, line_of: Callable[[Node], int | None] = lambda node: None
) -> Any:
    """Build the network that a config describes; `preprocess` becomes its first layers.

    Args:
        settings: The `model:` section.
        scope: What `$name` stands for: facts of the data.
        name: Of the model.
        line_of: The line of the config where a node stands, for messages.

    Returns:
        A `tf.keras.Model` from `input`, float32, shape `(batch, *settings.input)`, to the output of the last layer.

    Raises:
        NodeError: If a layer cannot be built, or does not fit what stands before it.
    """
    names = automatic_names((node.class_name, node.name) for node in [*settings.layers, *settings.preprocess])
    layer_names, preprocess_names = names[: len(settings.layers)], names[len(settings.layers) :]
    chain = [
        *zip(settings.preprocess, preprocess_names, strict=True),
        *zip(settings.layers, layer_names, strict=True),
    ]
    inputs = tf.keras.Input(settings.input, name=INPUT_NAME)
    outputs, before = inputs, "the input"
    for node, layer_name in chain:
        layer = build(node, scope, name=layer_name)
        outputs = _call(layer, outputs, node, before)
        before = _describe(node, layer_name, line_of(node))
    return tf.keras.Model(inputs, outputs, name=_model_name(name))


def _call(layer: Any, inputs: Any, node: Node, before: str) -> Any:
    try:
        outputs = layer(inputs)
    except (ValueError, TypeError, tf.errors.OpError, IndexError, AttributeError) as error:
        message = (
            f"{node.class_name} {layer.name!r} does not fit what stands before it: {before} gives the shape "
            f"{_shape(inputs)}. {_reason(error)}"
        )
        raise NodeError(node, message) from error
    if isinstance(outputs, list | tuple | dict):
        raise NodeError(node, f"{node.class_name} {layer.name!r} gives more than one value: a chain needs one.")
    return outputs


def _describe(node: Node, name: str, line: int | None) -> str:
    where = f", line {line}" if line else ""
    return f"{node.class_name} {name!r}{where}"


def _shape(tensor: Any) -> str:
    return str(tuple(tensor.shape)[1:])


def _reason(error: Exception) -> str:
    """The sentence of TensorFlow's message that tells the reason, without its call stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("Exception encountered", "Call arguments", "•", "{{"))]
    reason = " ".join((told or lines or [type(error).__name__])[:2]).split(" for '{{node")[0]
    return f"TensorFlow says: {reason[:300].rstrip('.')}."


def _model_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)

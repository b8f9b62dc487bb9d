"""The network of a config -> tf.keras.Model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trainkit.config import BEFORE, Model, Node, NodeError, SettingError
from trainkit.framework import tf
from trainkit.models.registry import LAYERS
from trainkit.objects import build, first_sentence

Adapt = Callable[[Any, Any], None]
"""`adapt(layer, tensor)`: lets a layer learn from the data what it needs, where `tensor` is what it is called with."""


def build_model(
    settings: Model,
    scope: Mapping[str, Any],
    *,
    name: str,
    line_of: Callable[[Node], int | None] = lambda node: None,
    adapt: Adapt = lambda layer, tensor: None,
) -> Any:
    """Build the network that a config describes; `preprocess` becomes its first layers.

    Args:
        settings: The `model:` section, checked.
        scope: What `$name` stands for: facts of the data.
        name: Of the model.
        line_of: The line of the config where a node stands, for messages.
        adapt: Called with every layer that has statistics or a vocabulary, before it is used.

    Returns:
        A `tf.keras.Model` from the inputs, shape `(batch, …)`, to the outputs that the config names.

    Raises:
        NodeError: If a layer cannot be built, does not fit what stands before it, or no output needs it.
        SettingError: If no output needs an input.
    """
    builder = _Builder(settings, scope, line_of, adapt)
    inputs = {
        name: tf.keras.Input(spec.shape, name=name, dtype=spec.dtype) for name, spec in settings.input_specs.items()
    }
    for input_name, tensor in inputs.items():
        builder.begin(input_name, tensor)
    for input_name, nodes in settings.preprocess_by_input.items():
        builder.tensors[input_name] = builder.chain(nodes, input_name)
    builder.chain(settings.layers, next(iter(inputs)))
    outputs = [builder.tensors[output] for output in settings.output_names]
    model = tf.keras.Model(list(inputs.values()), outputs, name=_model_name(name))
    _check_used(model, settings)
    return model


class _Builder:
    """Calls layer after layer, and knows what each name stands for."""

    def __init__(
        self, settings: Model, scope: Mapping[str, Any], line_of: Callable[[Node], int | None], adapt: Adapt
    ) -> None:
        self.tensors: dict[str, Any] = {}
        self._names = settings.layer_names
        self._scope, self._line_of, self._adapt = scope, line_of, adapt
        self._told: dict[int, str] = {}
        self._tokens: dict[int, int] = {}

    def begin(self, name: str, tensor: Any) -> None:
        """Know an input."""
        self.tensors[name] = tensor
        self._told[id(tensor)] = "the input" if name == "input" else f"the input {name!r}"

    def chain(self, nodes: list[Node], before: str) -> Any:
        """Build a chain of layers from what `before` stands for; returns what the last gives."""
        tensor = self.tensors[before]
        for node in nodes:
            tensor = self._build(node, tensor)
        return tensor

    def _build(self, node: Node, before: Any) -> Any:
        args, kwargs = self._arguments(node, before)
        name = self._names[node]
        layer = build(node, self._values(args), name=name, registry=LAYERS)
        if hasattr(layer, "adapt"):
            self._adapt_layer(node, layer, args)
        outputs = self._call(node, layer, args, kwargs)
        self.tensors[name] = outputs
        line = self._line_of(node)
        self._told[id(outputs)] = f"{node.class_name} {name!r}{f', line {line}' if line else ''}"
        if hasattr(layer, "vocabulary_size"):
            self._tokens[id(outputs)] = layer.vocabulary_size()
        return outputs

    def _arguments(self, node: Node, before: Any) -> tuple[list[Any], dict[str, Any]]:
        """What a layer is called with."""
        known = self.tensors | {BEFORE: before}
        if node.branches is not None:
            ends = []
            for branch in node.branches:
                end = before
                for inner in branch:
                    end = self._build(inner, end)
                ends.append(end)
            return [ends], {}
        match node.inputs:
            case None:
                return [before], {}
            case str():
                return [known[node.inputs]], {}
            case dict():
                return [], {argument: known[name] for argument, name in node.inputs.items()}
            case names:
                return [[known[name] for name in names]], {}

    def _values(self, args: list[Any]) -> dict[str, Any]:
        """What `$name` stands for in a layer: `tokens` is the size of the vocabulary before it."""
        tokens = self._tokens.get(id(args[0])) if args else None
        return dict(self._scope) if tokens is None else {**self._scope, "tokens": tokens}

    def _adapt_layer(self, node: Node, layer: Any, args: list[Any]) -> None:
        try:
            self._adapt(layer, args[0])
        except (ValueError, TypeError, tf.errors.OpError) as error:
            message = (
                f"{node.class_name} {layer.name!r} cannot learn from the training samples: {first_sentence(error)}."
            )
            raise NodeError(node, message) from error

    def _call(self, node: Node, layer: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        try:
            outputs = layer(*args, **kwargs)
        except (ValueError, TypeError, tf.errors.OpError, IndexError, AttributeError) as error:
            given = tf.nest.flatten([args, kwargs])
            told = "; ".join(f"{self._told[id(tensor)]} gives the shape {_shape(tensor)}" for tensor in given)
            message = f"{node.class_name} {layer.name!r} does not fit what stands before it: {told}."
            raise NodeError(node, f"{message} TensorFlow says: {first_sentence(error)}.") from error
        if isinstance(outputs, list | tuple | dict):
            raise NodeError(node, f"{node.class_name} {layer.name!r} gives more than one value: one is needed.")
        return outputs


def _check_used(model: Any, settings: Model) -> None:
    """Refuse what no output depends on: it would not be trained, and not be exported."""
    layers = [layer for layer in model.layers if not isinstance(layer, tf.keras.layers.InputLayer)]
    nodes = [node for depth in model._nodes_by_depth.values() for node in depth]
    used = {id(tensor) for node in nodes if not node.is_input for tensor in node.keras_inputs}
    for name, tensor in zip(model.input_names, model.inputs, strict=True):
        if id(tensor) not in used:
            raise SettingError(("model", "inputs", name), "no output depends on it. Use it, or remove it.")
    names = {layer.name for layer in layers}
    for node, name in settings.layer_names.items():
        if name not in names:
            cure = "Use it in the `inputs` of a layer, name it in `model.outputs`, or remove it."
            raise NodeError(node, f"no output depends on {node.class_name} {name!r}. {cure}")


def _shape(tensor: Any) -> str:
    return str(tuple(tensor.shape)[1:])


def _model_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)

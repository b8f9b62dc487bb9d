"""The network of a config -> tf.keras.Model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from trainkit.config import LayerCall, Model, Node, NodeError, SettingError, part_of
from trainkit.framework import tf
from trainkit.models.applications import ApplicationError, KerasApplication
from trainkit.models.calls import nodes_of
from trainkit.models.registry import LAYERS
from trainkit.objects import build, failures_of, first_sentence

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
        A `tf.keras.Model` from the inputs, shape `(batch, …)`, to the outputs that the config names. Its layers have
        the names of the calls: `stage2.bottleneck1.conv2d3`.

    Raises:
        NodeError: If a layer cannot be built, does not fit what stands before it, or no output needs it.
        SettingError: If no output needs an input.
    """
    network = settings.network
    builder = _Builder(scope, line_of, adapt)
    inputs = {
        name: tf.keras.Input(spec.shape, name=name, dtype=spec.dtype) for name, spec in settings.input_specs.items()
    }
    for input_name, tensor in inputs.items():
        builder.begin(input_name, tensor)
    for call in network.calls.values():
        builder.call(call)
    outputs = [_output(builder.tensors[network.answers[output]], output) for output in settings.output_names]
    model = tf.keras.Model(list(inputs.values()), outputs, name=_model_name(name))
    _check_used(model, builder, network.calls)
    return model


_ELEMENTWISE = tuple(
    getattr(tf.keras.layers, name) for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
)
"""Layers that give the same with `TimeDistributed` around them, which loses the masks of several inputs."""


class _Builder:
    """Calls layer after layer, and knows what each name stands for."""

    def __init__(self, scope: Mapping[str, Any], line_of: Callable[[Node], int | None], adapt: Adapt) -> None:
        self.tensors: dict[str, Any] = {}
        self.given: dict[str, list[Any]] = {}
        self.layers: dict[str, Any] = {}
        self._scope, self._line_of, self._adapt = scope, line_of, adapt
        self._told: dict[int, str] = {}
        self._tokens: dict[int, int] = {}

    def begin(self, name: str, tensor: Any) -> None:
        """Know an input."""
        self.tensors[name] = tensor
        self._told[id(tensor)] = "the input" if name == "input" else f"the input {name!r}"

    def call(self, call: LayerCall) -> None:
        """Build the layer of a call, if it is not there yet, and call it."""
        args, kwargs = self._arguments(call)
        layer = self._layer(call, args)
        outputs = self._outputs(call, layer, args, kwargs)
        self.given[call.name] = tf.nest.flatten(outputs)
        if isinstance(layer, KerasApplication):
            self._know_parts(call, outputs[1])
            outputs = outputs[0]
        elif isinstance(outputs, list | tuple | dict):
            several = tf.nest.flatten(outputs)
            _check_given(call, several)
            self._know_parts(call, {str(number): tensor for number, tensor in enumerate(several)})
            outputs = several[0]
        _check_given(call, [outputs])
        self.tensors[call.name] = outputs
        self._told[id(outputs)] = self._describe(call)
        if hasattr(layer, "vocabulary_size"):
            self._tokens[id(outputs)] = layer.vocabulary_size()

    def _layer(self, call: LayerCall, args: list[Any]) -> Any:
        if call.layer not in self.layers:
            layer = build(call.node, self._values(args), name=call.layer, registry=LAYERS)
            if call.node.definition:
                _check_config(call.node, layer)
            wrappers = () if isinstance(layer, _ELEMENTWISE) else call.wrappers
            for wrapper in reversed(wrappers):
                layer = _wrap(wrapper, layer, call, self._values(args))
            self.layers[call.layer] = layer
            _check_inside(call, layer)
            if hasattr(layer, "adapt"):
                self._adapt_layer(call.node, layer, args)
        return self.layers[call.layer]

    def _arguments(self, call: LayerCall) -> tuple[list[Any], dict[str, Any]]:
        """What a layer is called with."""
        if isinstance(call.inputs, dict):
            return [], {argument: self._given(call, names) for argument, names in call.inputs.items()}
        return [self._given(call, call.inputs)], {}

    def _given(self, call: LayerCall, names: str | list[str]) -> Any:
        if isinstance(names, list):
            return [self._given(call, name) for name in names]
        if names in self.tensors:
            return self.tensors[names]
        whole = part_of(names, self.tensors) or ""
        known = [name[len(whole) + 1 :] for name in self.tensors if name.startswith(f"{whole}.")]
        told = f"its parts are {', '.join(known[:4])}{', …' if len(known) > 4 else ''}" if known else "it has no parts"
        raise NodeError(call.node, f"unknown part {names!r} of {whole!r}: {told}.", argument="inputs")

    def _know_parts(self, call: LayerCall, parts: Mapping[str, Any]) -> None:
        for name, tensor in parts.items():
            self.tensors[f"{call.name}.{name}"] = tensor
            self._told[id(tensor)] = f"{name!r} of {self._describe(call)}"

    def _describe(self, call: LayerCall) -> str:
        line = self._line_of(call.node)
        return f"{call.node.class_name} {call.name!r}{f', line {line}' if line else ''}"

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

    def _outputs(self, call: LayerCall, layer: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        try:
            if not call.is_first:
                _check_fits(layer, args)
            return layer(*args, **kwargs)
        except ApplicationError as error:
            raise NodeError(call.node, str(error), argument=error.argument) from error
        except failures_of(call.node) as error:
            given = tf.nest.flatten([args, kwargs])
            told = "; ".join(f"{self._told[id(tensor)]} gives the shape {_shape(tensor)}" for tensor in given)
            message = f"{call.node.class_name} {call.name!r} does not fit what stands before it: {told}."
            raise NodeError(call.node, f"{message} TensorFlow says: {first_sentence(error)}.") from error


def _check_fits(layer: Any, args: list[Any]) -> None:
    """Let a layer that is called again refuse what it cannot take: Keras asks it in its first call only."""
    if args and getattr(layer, "input_spec", None) is not None:
        check = import_module(tf.keras.layers.InputSpec.__module__).assert_input_compatibility
        check(layer.input_spec, args[0], layer.name)


def _check_given(call: LayerCall, outputs: list[Any]) -> None:
    if not outputs or not all(tf.keras.backend.is_keras_tensor(output) for output in outputs):
        raise NodeError(
            call.node, f"{call.node.class_name} {call.name!r} must give tensors. Received: {outputs!r:.80}."
        )


def _check_config(node: Node, layer: Any) -> None:
    """Refuse a layer of one's own that Keras could save, but not read back."""
    try:
        known = layer.get_config()
    except NotImplementedError:
        known = {}
    if missing := [key for key in node.signature if key not in known and key not in ("dtype", "trainable")]:
        cure = f"`get_config` must return `super().get_config() | {{{', '.join(f'{key!r}: …' for key in missing)}}}`"
        raise NodeError(node, f"{node.class_name} cannot be saved: {cure}.")


def _wrap(wrapper: Node, layer: Any, call: LayerCall, values: Mapping[str, Any]) -> Any:
    """A layer of a block that `TimeDistributed` is around."""
    if isinstance(layer, KerasApplication):
        return layer.wrapped(partial(build, wrapper, values))
    return build(wrapper, values, name=call.layer, layer=layer)


def _check_inside(call: LayerCall, layer: Any) -> None:
    """Refuse a layer inside another that would have to learn from the data: it would do nothing, without a word."""
    while (inner := getattr(layer, "layer", None)) is not None:
        layer = inner
        if hasattr(layer, "adapt"):
            told = f"{type(layer).__name__} learns from the data, which it cannot inside {call.node.class_name}"
            raise NodeError(call.node, f"{told} ({call.name!r}): let it stand before that.")


def _output(tensor: Any, name: str) -> Any:
    """What an output gives; if no layer has its name, as it is that of a block or of another call, one more has."""
    if tensor._keras_history.layer.name == name:
        return tensor
    return tf.keras.layers.Activation("linear", name=name, dtype=tensor.dtype)(tensor)


def _check_used(model: Any, builder: _Builder, calls: Mapping[str, LayerCall]) -> None:
    """Refuse what no output depends on: it would not be trained, and not be exported."""
    used = {id(tensor) for node in nodes_of(model) if not node.is_input for tensor in node.keras_inputs}
    for name, tensor in zip(model.input_names, model.inputs, strict=True):
        if id(tensor) not in used:
            raise SettingError(("model", "inputs", name), "no output depends on it. Use it, or remove it.")
    used |= {id(tensor) for tensor in model.outputs}
    for name, call in calls.items():
        if not any(id(tensor) in used for tensor in builder.given[name]):
            cure = "Use it in the `inputs` of a layer, name it in `model.outputs`, or remove it."
            raise NodeError(call.node, f"no output depends on {call.node.class_name} {name!r}. {cure}")


def _shape(tensor: Any) -> str:
    return "unknown: its layer must set it" if tensor.shape.rank is None else str(tuple(tensor.shape)[1:])


def _model_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)

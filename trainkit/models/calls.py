"""The graph of a Keras model as a list of calls, and a new model with other layers in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from trainkit.framework import tf


class Graph:
    """Who takes what from whom in a model.

    Args:
        model: A functional or sequential `tf.keras.Model`.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.calls = calls_of(model)
        self.outputs = {id(tensor) for tensor in model.outputs}
        self._makers = {id(tensor): call for call in self.calls for tensor in tf.nest.flatten(call.outputs)}
        self._takers: dict[int, list[Any]] = {}
        for call in self.calls:
            for tensor in call.keras_inputs:
                self._takers.setdefault(id(tensor), []).append(call)
        self._count = Counter(id(call.layer) for call in self.calls)

    def of(self, layer: Any) -> list[Any]:
        """The calls of a layer."""
        return [call for call in self.calls if call.layer is layer]

    def makers(self, call: Any) -> list[Any]:
        """The calls whose outputs a call takes; an input of the model is made by none."""
        return [self._makers[id(tensor)] for tensor in call.keras_inputs if id(tensor) in self._makers]

    def takers(self, call: Any) -> list[Any]:
        """The calls that take an output of a call."""
        return [taker for tensor in tf.nest.flatten(call.outputs) for taker in self._takers.get(id(tensor), [])]

    def is_output(self, call: Any) -> bool:
        """Whether the model gives what a call gives."""
        return any(id(tensor) in self.outputs for tensor in tf.nest.flatten(call.outputs))

    def only_taker(self, call: Any) -> Any | None:
        """The one call that takes what a call gives, if nothing else does and the model does not give it either."""
        takers = self.takers(call)
        return takers[0] if len(takers) == 1 and not self.is_output(call) else None

    def is_shared(self, layer: Any) -> bool:
        """Whether a layer is called more than once."""
        return self._count[id(layer)] > 1


def nodes_of(model: Any) -> Iterator[Any]:
    """Every call of a layer in the graph of a model; Keras has no public name for it."""
    return (node for nodes in model._nodes_by_depth.values() for node in nodes)


def count_calls(model: Any) -> Counter[str]:
    """How often each layer stands in the graph of a model, by its name."""
    return Counter(call.layer.name for call in nodes_of(model))


def calls_of(model: Any) -> list[Any]:
    """The calls of the layers of a model in an order in which they can be made, without those of its inputs."""
    depths = {id(call): depth for depth, calls in model._nodes_by_depth.items() for call in calls}
    return sorted((call for call in nodes_of(model) if not call.is_input), key=lambda call: -depths[id(call)])


def in_reading_order(model: Any) -> list[Any]:
    """The calls that the outputs of a model depend on: a chain in one piece, and all that a layer takes before it."""
    calls = [call for call in nodes_of(model) if not call.is_input]
    makers = {id(tensor): call for call in calls for tensor in tf.nest.flatten(call.outputs)}
    order: list[Any] = []
    seen: set[int] = set()
    waiting: list[tuple[Any, Iterator[Any]]] = [(None, iter(model.outputs))]
    while waiting:
        call, tensors = waiting[-1]
        tensor = next(tensors, None)
        if tensor is None:
            waiting.pop()
            order += [] if call is None else [call]
        elif (maker := makers.get(id(tensor))) is not None and id(maker) not in seen:
            seen.add(id(maker))
            waiting.append((maker, iter(maker.keras_inputs)))
    return order


def is_graph(layer: Any) -> bool:
    """Whether a layer is a functional or sequential model, whose calls are known."""
    return isinstance(layer, tf.keras.Model) and bool(getattr(layer, "_nodes_by_depth", None))


def rebuild(model: Any, make: Callable[[Any, tuple, dict[str, Any]], Any]) -> Any:
    """A model of new calls, over new inputs of the same names.

    Args:
        model: A functional or sequential `tf.keras.Model`; its layers go over to the new one.
        make: From a call, and the arguments and keywords with new tensors in them, to what the call gives now.

    Returns:
        A functional model with inputs, outputs and name of `model`.
    """
    calls = calls_of(model)
    names = [tensor._keras_history.layer.name for tensor in model.inputs]
    inputs = [
        tf.keras.Input(type_spec=tensor.type_spec, name=name) for tensor, name in zip(model.inputs, names, strict=True)
    ]
    detach(model)
    outputs = replay(calls, dict(_pairs(model.inputs, inputs)), make)
    new = [outputs[id(tensor)] for tensor in model.outputs]
    pack = tf.nest.pack_sequence_as
    return tf.keras.Model(
        pack(model._nested_inputs, inputs), pack(model._nested_outputs, new), name=model.name, trainable=model.trainable
    )


def replay(
    calls: Sequence[Any], values: Mapping[int, Any], make: Callable[[Any, tuple, dict[str, Any]], Any]
) -> dict[int, Any]:
    """Make calls again on other tensors.

    Args:
        calls: In an order in which they can be made.
        values: The new tensor of each of the old ones that are given, by id.
        make: See `rebuild`.

    Returns:
        The new tensor of every old one, by id.
    """
    known = dict(values)
    for call in calls:
        given = {str(id(tensor)): [known[id(tensor)]] * len(call.keras_inputs) for tensor in call.keras_inputs}
        arguments, keywords = call.map_arguments(given)  # takes each from its list as often as it is used
        known.update(_pairs(call.outputs, make(call, arguments, keywords)))
    return known


def call_in_turn(parts: Sequence[Callable[..., Any]], arguments: tuple, keywords: dict[str, Any]) -> Any:
    """Call the first of some layers with arguments, and each other with what the one before gives."""
    first, *rest = parts
    value = first(*arguments, **keywords)
    for part in rest:
        value = part(value)
    return value


def name_outputs(model: Any, names: Sequence[str]) -> Any:
    """Give the outputs of a model names, where their layers have others."""
    if model.output_names == list(names):
        return model
    outputs = [
        tensor if name == old else tf.keras.layers.Activation("linear", name=name)(tensor)
        for tensor, old, name in zip(model.outputs, model.output_names, names, strict=True)
    ]
    packed = tf.nest.pack_sequence_as(model._nested_outputs, outputs)
    return tf.keras.Model(model._nested_inputs, packed, name=model.name, trainable=model.trainable)


def _pairs(old: Any, new: Any) -> Iterator[tuple[int, Any]]:
    return zip((id(tensor) for tensor in tf.nest.flatten(old)), tf.nest.flatten(new), strict=True)


def detach(model: Any) -> None:
    """Let the layers of a model forget their calls, so that those to come are the only ones."""
    for layer in model.layers:
        layer._inbound_nodes, layer._outbound_nodes = [], []

"""`training.precision`: the same network with layers that compute in 16 bits, and back; weights are float32 in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trainkit.config import Config, SettingError
from trainkit.config import Model as Written
from trainkit.framework import tf
from trainkit.models.calls import Graph, rebuild
from trainkit.objects import first_sentence

AT = ("training", "precision")
FLOAT32 = "float32"
_OF_A_LAYER = {"name", "trainable", "dtype"}
"""What the config of every layer has, also that of one inside another."""
_PROBABILITIES = ("softmax", "sigmoid")
_FEW = 6
_TROUBLES = (ValueError, TypeError, AttributeError, tf.errors.OpError)


def in_precision(config: Config, model: Any) -> Any:
    """The network of a config as `training.precision` says; its weights are those of the one given.

    In float32 stay: what `preprocess` does, layers with a `dtype` of their own, the layers that answer, and a softmax
    or sigmoid that only layers without weights stand behind. Keras' global policy is as before, also after an error.

    Args:
        config: The configuration.
        model: The network, built in float32; it is not changed.

    Raises:
        SettingError: If a layer cannot compute so.
    """
    policy = config.experiment.training.precision
    if policy == FLOAT32:
        return model
    kept = _kept(config.experiment.model, model)
    policies = {layer.name: policy for layer in model.layers if layer.name not in kept and _is_float32(layer)}
    return _with_policies(model, policies)


def as_float32(model: Any) -> Any:
    """A model of the same weights whose layers all compute in float32; the model itself where they do already."""
    mixed = {layer.name: FLOAT32 for layer in model.layers if is_mixed(layer)}
    return _with_policies(model, mixed) if mixed else model


def is_mixed(layer: Any) -> bool:
    """Whether a layer computes in 16 bits with weights of 32."""
    return str(layer.dtype_policy.name).startswith("mixed_")


def precision_lines(config: Config, model: Any) -> Iterator[str]:
    """What a person is told of the precision; nothing of float32.

    Args:
        config: The configuration.
        model: What `in_precision` gave.
    """
    policy = config.experiment.training.precision
    if policy == FLOAT32:
        return
    rest = [layer.name for layer in model.layers if layer.dtype_policy.name == FLOAT32 and not _passes(layer)]
    shown = [*rest[:_FEW], *(["…"] if len(rest) > _FEW else [])]
    told = f"; in float32: {', '.join(shown)}" if shown else ""
    yield f"precision: {policy}{told}. What is left of the training, model.keras, computes in float32"


def _kept(written: Written, model: Any) -> set[str]:
    """The names of the layers that compute in float32."""
    calls, graph = written.network.calls, Graph(model)
    kept = {call.layer for call in calls.values() if "dtype" in call.node.arguments}
    waiting: list[Any] = [written.network.answers[name] for name in written.input_specs]
    while waiting:  # what stands between an input and the network
        call = calls.get(waiting.pop())
        if call is not None:
            kept.add(call.layer)
            waiting += tf.nest.flatten(call.inputs)
    for call in graph.calls:
        if graph.is_output(call):
            kept |= {call.layer.name} | _to_probabilities(graph, call)
    return kept


def _to_probabilities(graph: Graph, call: Any) -> set[str]:
    """The layers from a softmax or sigmoid to a call, all of them without weights."""
    layer = call.layer
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    if activation in _PROBABILITIES or isinstance(layer, tf.keras.layers.Softmax):
        return {layer.name}
    if layer.weights:
        return set()
    found = set[str]().union(*(_to_probabilities(graph, maker) for maker in graph.makers(call)))
    return found | {layer.name} if found else found


def _is_float32(layer: Any) -> bool:
    """Whether a layer computes in float32 because nobody said anything else, and would compute in 16 bits as well."""
    return layer.dtype_policy.name == FLOAT32 and not hasattr(layer, "adapt") and not _passes(layer)


def _passes(layer: Any) -> bool:
    """Whether a layer computes in whatever type it is given: an input, or a function of TensorFlow."""
    return isinstance(layer, tf.keras.layers.InputLayer) or type(layer).__name__ in ("TFOpLambda", "SlicingOpLambda")


def _with_policies(model: Any, policies: Mapping[str, str]) -> Any:
    """A model of the same weights, some of whose layers have another policy.

    Those are new; the others, which may know words or statistics, are in both models.
    """
    before = {layer: (layer._inbound_nodes, layer._outbound_nodes) for layer in model.layers}
    copies: dict[int, Any] = {}

    def make(call: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        layer = call.layer
        policy = policies.get(layer.name)
        if policy is None:
            return layer(*arguments, **keywords)
        with _refusing(layer.name, policy), _global_policy(policy):
            is_new = id(layer) not in copies
            if is_new:
                copies[id(layer)] = _copy(layer, policy)
            outputs = copies[id(layer)](*arguments, **keywords)
            if is_new:
                copies[id(layer)].set_weights(layer.get_weights())
        return outputs

    try:
        return rebuild(model, make)
    finally:
        for layer, (inbound, outbound) in before.items():
            if layer.name in policies:
                layer._inbound_nodes, layer._outbound_nodes = inbound, outbound


def _copy(layer: Any, policy: str) -> Any:
    """The same layer with another policy, without its weights."""
    return type(layer).from_config(_changed(layer.get_config(), policy))


def _changed(value: Any, policy: str) -> Any:
    """The config of a layer with another policy, also in those of the layers inside it."""
    if isinstance(value, list | tuple):  # Keras' own kind of list tracks what is in it
        changed = [_changed(one, policy) for one in value]
        return tuple(changed) if isinstance(value, tuple) else changed
    if not isinstance(value, Mapping):
        return value
    inside = {key: _changed(one, policy) for key, one in value.items()}
    return inside | {"dtype": policy} if value.keys() >= _OF_A_LAYER and _is_of_32_bits(value["dtype"]) else inside


def _is_of_32_bits(policy: Any) -> bool:
    """Whether the description of a policy is that of one whose weights are float32."""
    name = policy["config"]["name"] if isinstance(policy, Mapping) else policy
    return name == FLOAT32 or str(name).startswith("mixed_")


@contextmanager
def _global_policy(policy: str) -> Iterator[None]:
    """While it lasts, layers that say nothing of their policy have this one: those that layers make for themselves."""
    precision = tf.keras.mixed_precision
    before = precision.global_policy()
    try:
        precision.set_global_policy(policy)
        yield
    finally:
        precision.set_global_policy(before)


@contextmanager
def _refusing(name: str, policy: str) -> Iterator[None]:
    try:
        yield
    except _TROUBLES as error:
        said = f"{type(error).__name__}: {first_sentence(error)}"
        message = f"the layer {name!r} cannot compute in {policy}: {said}. Give it `dtype: float32`, or leave "
        raise SettingError(AT, f"{message}`precision` at float32.") from error

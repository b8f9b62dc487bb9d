"""Node -> Keras object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainkit.config import ExpressionError, Node, NodeError, evaluate
from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.objects.schedules import SCHEDULES
from trainkit.registry import Registry, did_you_mean

_MODULES = {
    "layer": "layers",
    "optimizer": "optimizers",
    "schedule": "optimizers.schedules",
    "loss": "losses",
    "metric": "metrics",
    "callback": "callbacks",
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
}
_OURS = {"schedule": SCHEDULES}
"""What TrainKit adds to kinds of Keras, wherever they are built."""

_UNKNOWN = re.compile(r"Unknown (activation|initializer|regularizer|constraint)[^']*'(\w+)'")
_NODE_NAMES = re.compile(r" for '\{\{node.*|\{\{[^}]*\}\} ?|\[Op:.*")


_WHOLE = ("whole", "wholes")
_OF_KERAS = (
    *(ValueError, TypeError, AttributeError, NotImplementedError),
    *(LookupError, ArithmeticError, MemoryError, tf.errors.OpError),
)


def build(
    node: Node,
    scope: Mapping[str, Any],
    *,
    name: str | None = None,
    registry: Registry | None = None,
    **further: Any,
) -> Any:
    """Build the Keras object that a node asks for.

    Args:
        node: Of a kind that Keras has.
        scope: What `$name` stands for.
        name: The name of a layer; by default the one that the node was given.
        registry: Things of this kind that TrainKit adds to those of Keras.
        further: Arguments that the config does not give.

    Returns:
        The object.

    Raises:
        NodeError: If Keras refuses the arguments, or one cannot be computed.
    """
    arguments = compute_arguments(node, scope, registry) | further
    if name or node.name:
        arguments["name"] = name or node.name
    try:
        return _class_of(node, registry)(**arguments)
    except failures_of(node) as error:
        raise NodeError(node, _refusal(node, error), argument=_argument_at_fault(node, error)) from error


def build_registered(node: Node, registry: Registry, scope: Mapping[str, Any], **context: Any) -> Any:
    """Call what TrainKit's own table has under the name of a node; texts that are paths become `Path`s.

    Args:
        node: Of a kind that TrainKit has: a source, an exporter.
        registry: The table of the kind.
        scope: What `$name` stands for.
        context: Further arguments that the kind's contract promises.

    Raises:
        NodeError: If an argument cannot be computed, or the thing refuses what the user gave it.
    """
    signature = node.signature
    arguments = compute_arguments(node, scope)
    for key, value in arguments.items():
        if signature[key].type == "path" and value is not None:
            arguments[key] = Path(value)
    own = node.definition and node.definition.target
    try:
        return (own or registry.get(node.class_name))(**arguments, **context)
    except InputError as error:
        raise NodeError(node, str(error)) from error
    except Exception as error:
        if not own:
            raise
        raise NodeError(node, f"{node.class_name} fails: {type(error).__name__}: {error}.") from error


def failures_of(node: Node) -> tuple[type[Exception], ...]:
    """What building or calling a thing of Keras may raise; of a config's own Python code, anything."""
    return (Exception,) if node.definition and node.definition.target else _OF_KERAS


def compute_arguments(node: Node, scope: Mapping[str, Any], registry: Registry | None = None) -> dict[str, Any]:
    """The arguments of a node as values: expressions computed, nodes inside built.

    Args:
        node: The node.
        scope: What `$name` stands for.
        registry: Things that TrainKit adds to those of Keras, for the nodes inside that are of its kind.

    Raises:
        NodeError: If one cannot be computed.
    """
    defaults = {
        key: argument.default for key, argument in node.signature.items() if str(argument.default).startswith("$")
    }
    values = {}
    for key, written in (defaults | node.arguments).items():
        try:
            known = _scope_inside(node, scope) if isinstance(written, Node) else scope
            value = _compute(written, known, registry)
            values[key] = _whole(value) if key in node.signature and node.signature[key].type in _WHOLE else value
        except ExpressionError as error:
            raise NodeError(node, str(error), argument=key) from error
    return values


def _scope_inside(node: Node, scope: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `$name` stands for in the things inside a node: what follows a warm-up has only the steps that are left."""
    warm = node.arguments.get("steps") if node.kind == "schedule" and node.class_name == "WarmUp" else None
    warm = evaluate(warm, scope)
    if "steps" not in scope or not isinstance(warm, int | float):
        return scope
    return {**scope, "steps": max(int(scope["steps"] - warm), 1)}


def _compute(written: Any, scope: Mapping[str, Any], registry: Registry | None) -> Any:
    if isinstance(written, list) and any(isinstance(item, Node) for item in written):
        return [_compute(item, scope, registry) for item in written]
    if not isinstance(written, Node):
        return evaluate(written, scope)
    return build(written, scope, registry=registry if registry and registry.kind == written.kind else None)


def _whole(value: Any) -> Any:
    """A number without its point: 8.0, which an expression may give, is 8."""
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and not value.is_integer():
        raise ExpressionError(f"must be a whole number (`//` divides without a rest). Received: {value!r}.")
    return int(value) if isinstance(value, float) else value


def first_sentence(error: Exception) -> str:
    """What TensorFlow or Keras say of a failure, on one line: without the call stack and the names of their nodes."""
    said = str(error)
    if "in user code:" in said:  # AutoGraph tells the lines that lead to the failure first
        said = re.split(r"\n\s*\w+: ", said.split("in user code:", 1)[1].split("\nCall arguments", 1)[0])[-1]
    lines = [line for written in said.splitlines() if (line := _NODE_NAMES.sub("", written).strip())]
    told = [line for line in lines if not line.startswith(("Exception encountered", "Call arguments", "•"))]
    reason = " ".join((told or lines or [type(error).__name__])[:2])
    return reason[:300].rstrip(".")


def _class_of(node: Node, registry: Registry | None) -> Any:
    if node.definition is not None and node.definition.target is not None:
        return node.definition.target
    registry = registry or _OURS.get(node.kind)
    if registry is not None and node.class_name in registry:
        return registry.get(node.class_name)
    return keras_class(node.kind, node.class_name)


def keras_class(kind: str, class_name: str) -> Any:
    """The class of Keras that a name of some kind stands for."""
    module = tf.keras
    for part in _MODULES[kind].split("."):
        module = getattr(module, part)
    return getattr(module, class_name)


def _refusal(node: Node, error: Exception) -> str:
    if isinstance(error, InputError):
        return f"{node.class_name}: {error}"
    said = " ".join(str(error).split())
    if match := _UNKNOWN.search(said):  # an activation, an initializer, …: Keras tells how to register a class
        module = getattr(tf.keras, f"{match[1]}s")
        known = [name for name in dir(module) if name[0].islower() and name not in ("get", "serialize", "deserialize")]
        return f"{node.class_name}: unknown {match[1]} {match[2]!r}.{did_you_mean(match[2], known)}"
    arguments = ", ".join(f"{key}={value!r}" for key, value in node.arguments.items() if not isinstance(value, Node))
    return f"{node.class_name} refuses its arguments: {said[:400].rstrip('.')}. Received: {arguments or 'none'}."


def _argument_at_fault(node: Node, error: Exception) -> str | None:
    """The argument whose name or value the message of Keras quotes, if that is one only."""
    said = str(error)
    named = [key for key in node.arguments if f"`{key}`" in said]
    quoted = [key for key, value in node.arguments.items() if isinstance(value, str) and value in said]
    return next((found[0] for found in (named, quoted) if len(found) == 1), None)

"""A network of Keras 3, described in plain values, as a model of tf_keras."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from trainkit.errors import PredictionError
from trainkit.framework import tf
from trainkit.inference.predictor import reason_of
from trainkit.inference.translate import ACTIVATIONS, RefusalError, build_layer, policy_name

SPELLED_OUT = ("hard_sigmoid", "hard_silu", "leaky_relu", "relu6")
"""Activations that tf_keras lacks, or means something else by: a few layers make them up."""
NAMED = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Silu": "silu", "Softplus": "softplus"}
NAMED |= {"HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "Relu6": "relu6"}
"""Functions of `keras.ops` that are activations."""
SAME = ("Add", "Subtract", "Multiply", "Maximum", "Minimum", "Concatenate", "ReLU", "Softmax")
"""Functions of tensors that are layers too, with the same arguments."""
SCALES: dict[str, Callable[[float, bool], tuple[float, float]]] = {
    "Add": lambda number, _: (1.0, number),
    "Subtract": lambda number, is_first: (-1.0, number) if is_first else (1.0, -number),
    "Multiply": lambda number, _: (number, 0.0),
}
"""Functions of a tensor and a number, which may come first, as scale and offset of a Rescaling."""


class _Part(NamedTuple):
    """What stands for an operation: `run` is called like it, `layer` has its weights."""

    run: Callable[..., Any]
    layer: Any = None


def rebuild_model(network: dict[str, Any], weights: Sequence[np.ndarray], *, source: str) -> Any:
    """Build a network with layers of tf_keras.

    Args:
        network: What the child process writes to `network.json`.
        weights: The weights of its operations, one after the other.
        source: The file, for messages.

    Returns:
        A functional `tf.keras.Model` whose inputs and outputs are named as in the file.

    Raises:
        PredictionError: If tf_keras lacks layers or arguments; the message lists all such layers.
    """
    parts = _make_parts(network, source)
    try:
        model = _wire(network, parts, source)
    except (TypeError, ValueError) as error:
        raise PredictionError(f"{source} cannot be rebuilt in tf_keras: {reason_of(error)}.") from error
    _set_weights(network, parts, weights, source)
    return model


def check_layers(config: dict[str, Any], *, source: str) -> None:
    """Check the layers of a model that Keras 3 may not even be able to read.

    Args:
        config: The model as its file has it.
        source: The file, for messages.

    Raises:
        PredictionError: If tf_keras lacks layers or arguments; the message lists all such layers.
    """
    operations = list(_operations(config))
    problems = []
    for operation in operations:
        try:
            if not _is_function(operation):
                _make_layer(operation, operation["name"], [])
        except RefusalError as refusal:
            problems.append((operation, str(refusal)))
    _raise(problems, len(operations), source)


def _operations(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    config = value["config"]
    if "layers" in config:
        yield from (operation for layer in config["layers"] for operation in _operations(layer))
    elif value["class_name"] != "InputLayer":
        yield value | {"name": config.get("name", value["class_name"])}


def _make_parts(network: dict[str, Any], source: str) -> list[_Part]:
    parts, problems = [], []
    for index, (operation, name) in enumerate(zip(network["operations"], _choose_names(network), strict=True)):
        calls = [call for call in network["calls"] if call["operation"] == index]
        try:
            if _is_function(operation):
                parts.append(_make_function(operation, name, calls[0], network["tensors"]))
            else:
                parts.append(_make_layer(operation, name, calls))
        except RefusalError as refusal:
            problems.append((operation, str(refusal)))
    _raise(problems, len(network["operations"]), source)
    return parts


def _is_function(operation: dict[str, Any]) -> bool:
    """Whether an operation is no layer, but a function of `keras.ops` or Python's arithmetic."""
    return str(operation.get("module")).startswith("keras.src.")


def _raise(problems: list[tuple[dict[str, Any], str]], operations: int, source: str) -> None:
    if problems:
        lines = [f"  {operation['name']!r} ({operation['class_name']}): {reason}." for operation, reason in problems]
        count = f"{len(lines)} of its {operations} layers"
        raise PredictionError("\n".join([f"{source} cannot be rebuilt in tf_keras, because of {count}:", *lines]))


def _choose_names(network: dict[str, Any]) -> list[str]:
    """The names of the operations, no two alike; the names of inputs and outputs come first."""
    operations = network["operations"]
    uses = Counter(call["operation"] for call in network["calls"])
    makers = {tensor: call["operation"] for call in network["calls"] for tensor in call["outputs"]}
    names: dict[int, str] = {}
    for tensor, name in ((output["tensor"], output["name"]) for output in network["outputs"]):
        maker = makers.get(tensor)  # where a model inside makes the output, the last layer of that model
        if maker is not None and name not in names.values() and (uses[maker] == 1 or operations[maker]["name"] == name):
            names.setdefault(maker, name)
    taken = {*names.values(), *(tensor["name"] for tensor in (*network["inputs"], *network["outputs"]))}
    for index, operation in enumerate(operations):
        if index not in names:
            endings = ("", *(f"_{number}" for number in range(1, len(operations) + len(taken))))
            names[index] = next(name for end in endings if (name := operation["name"] + end) not in taken)
            taken.add(names[index])
    return [names[index] for index in range(len(operations))]


def _make_function(operation: dict[str, Any], name: str, call: dict[str, Any], facts: list[Any]) -> _Part:
    """The layer for a function of `keras.ops`, or for Python's arithmetic."""
    class_name, dtype = operation["class_name"], facts[call["outputs"][0]]["dtype"]
    operands = _flatten([call["arguments"], call["keywords"]])
    tensors = [operand["tensor"] for operand in operands if _is(operand, "tensor")]
    if class_name in NAMED:
        run = _make_activation(NAMED[class_name], name, dtype)
    elif class_name in SAME and len(tensors) == len(operands):
        if len({len(facts[tensor]["shape"]) for tensor in tensors}) > 1:
            raise RefusalError("it is called with tensors of a different number of axes")
        run = getattr(tf.keras.layers, class_name)(**operation["config"] | {"name": name, "dtype": dtype})
    elif factors := _factors(class_name, operands):
        run = tf.keras.layers.Rescaling(*factors, name=name, dtype=dtype)
    else:
        raise RefusalError("tf_keras has no layer for this function with these arguments")
    return _Part(lambda *arguments, **keywords: run(_tensors(arguments, keywords)))


def _factors(class_name: str, operands: list[Any]) -> tuple[float, float] | None:
    """Scale and offset of a function of one tensor, or of one tensor and one number."""
    numbers = [operand for operand in operands if isinstance(operand, int | float)]
    if class_name == "Negative":
        return -1.0, 0.0
    if len(operands) != 2 or len(numbers) != 1:
        return None
    is_first = operands[0] is numbers[0]
    if class_name in ("Divide", "TrueDivide") and not is_first and numbers[0] != 0:
        return 1 / numbers[0], 0.0
    return SCALES[class_name](numbers[0], is_first) if class_name in SCALES else None


def _tensors(arguments: Any, keywords: Any) -> Any:
    given = [item for item in tf.nest.flatten([arguments, keywords]) if hasattr(item, "shape")]
    return given if len(given) > 1 else given[0]


def _make_activation(activation: str, name: str, policy: Any) -> Callable[[Any], Any]:
    layers = tf.keras.layers
    common = {"name": name, "dtype": policy}
    if activation in ACTIVATIONS:
        return layers.Activation(ACTIVATIONS[activation], **common)
    if activation == "relu6":
        return layers.ReLU(6.0, **common)
    if activation == "leaky_relu":
        return layers.LeakyReLU(alpha=0.2, **common)
    shift = layers.Rescaling(1.0, 3.0, name=f"{name}_shift", dtype=policy)
    clip = layers.ReLU(6.0, name=f"{name}_clip", dtype=policy)
    if activation == "hard_sigmoid":
        scale = layers.Rescaling(1 / 6, **common)
        return lambda x: scale(clip(shift(x)))
    scale, gate = layers.Rescaling(1 / 6, name=f"{name}_scale", dtype=policy), layers.Multiply(**common)
    return lambda x: gate([x, scale(clip(shift(x)))])


def _make_layer(operation: dict[str, Any], name: str, calls: list[dict[str, Any]]) -> _Part:
    config = operation["config"] | {"name": name}
    activation = config.get("activation")
    if activation not in SPELLED_OUT:
        layer = build_layer(operation, config)
        _check_calls(layer, calls)
        return _Part(layer, layer)
    after = _make_activation(activation, name, policy_name(config.get("dtype")))
    if operation["class_name"] == "Activation":
        return _Part(after)
    layer = build_layer(operation, config | {"activation": "linear", "name": f"{name}_linear"})
    _check_calls(layer, calls)
    return _Part(lambda *arguments, **keywords: after(layer(*arguments, **keywords)), layer)


def _check_calls(layer: Any, calls: list[dict[str, Any]]) -> None:
    known = inspect.signature(layer.call).parameters.keys() | {"training", "initial_state"}
    for call in calls:
        refused = [item["refused"] for item in _flatten([call["arguments"], call["keywords"]]) if _is(item, "refused")]
        unknown = sorted(call["keywords"].keys() - known)
        if refused:
            raise RefusalError(f"it is called with {', '.join(refused)}")
        if unknown:
            raise RefusalError(f"it is called with {', '.join(unknown)}, which tf_keras does not take")


def _flatten(value: Any) -> list[Any]:
    """The operands in the arguments of a call."""
    if isinstance(value, list) or (isinstance(value, dict) and not _is(value, "tensor") and not _is(value, "refused")):
        return [item for part in (value.values() if isinstance(value, dict) else value) for item in _flatten(part)]
    return [value]


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, dict) and list(value) == [kind]


def _wire(network: dict[str, Any], parts: list[_Part], source: str) -> Any:
    tensors = {tensor["tensor"]: _make_input(tensor) for tensor in network["inputs"]}
    inputs = list(tensors.values())
    for call in network["calls"]:
        try:
            answers = _run(parts[call["operation"]], call, tensors)
            for number, answer in zip(call["outputs"], answers, strict=True):
                _check_shape(tuple(answer.shape), network["tensors"][number]["shape"])
                tensors[number] = answer
        except (TypeError, ValueError, RefusalError) as error:
            problem = network["operations"][call["operation"]], f"tf_keras cannot call it: {reason_of(error)}"
            _raise([problem], len(network["operations"]), source)
    taken = {tensor._keras_history.layer.name for tensor in tensors.values()}
    outputs = [_name_output(tensors[output["tensor"]], output["name"], taken) for output in network["outputs"]]
    return tf.keras.Model(*(items if len(items) > 1 else items[0] for items in (inputs, outputs)), name=network["name"])


def _make_input(tensor: dict[str, Any]) -> Any:
    batch_size, *shape = tensor["shape"]
    return tf.keras.Input(tuple(shape), batch_size, name=tensor["name"], dtype=tensor["dtype"])


def _run(part: _Part, call: dict[str, Any], tensors: dict[int, Any]) -> list[Any]:
    def fill_in(value: Any) -> Any:
        if _is(value, "tensor"):
            return tensors[value["tensor"]]
        return [fill_in(item) for item in value] if isinstance(value, list) else value

    keywords = {name: fill_in(value) for name, value in call["keywords"].items()}
    if part.layer is not None and "training" not in inspect.signature(part.layer.call).parameters:
        keywords.pop("training", None)
    return tf.nest.flatten(part.run(*fill_in(call["arguments"]), **keywords))


def _check_shape(shape: tuple[int | None, ...], expected: list[int | None]) -> None:
    pairs = list(zip(shape, expected, strict=False))
    if len(shape) != len(expected) or any(None not in pair and pair[0] != pair[1] for pair in pairs):
        raise RefusalError(f"the shape is {shape} in place of {tuple(expected)}")


def _name_output(tensor: Any, name: str, taken: set[str]) -> Any:
    """Where the last layer cannot have the name, as it is called elsewhere too, one more layer has it."""
    if tensor._keras_history.layer.name == name or name in taken:
        return tensor
    taken.add(name)
    return tf.keras.layers.Activation("linear", name=name, dtype=tensor.dtype)(tensor)


def _set_weights(network: dict[str, Any], parts: list[_Part], weights: Sequence[np.ndarray], source: str) -> None:
    values, problems = iter(weights), []
    for operation, part in zip(network["operations"], parts, strict=True):
        arrays = [(_leaf(path), next(values)) for path in operation["weights"]]
        if operation["class_name"] == "Normalization":
            continue  # its statistics are arguments
        arrays.sort(key=lambda pair: pair[0])
        own = part.layer.weights if part.layer is not None else []
        variables = sorted(own, key=lambda variable: _leaf(variable.name))
        had = [f"{name} {array.shape}" for name, array in arrays]
        has = [f"{_leaf(variable.name)} {tuple(variable.shape)}" for variable in variables]
        if had != has:
            problems.append((operation, f"its weights are {', '.join(had)}; those of tf_keras {', '.join(has)}"))
            continue
        for variable, (_, array) in zip(variables, arrays, strict=True):
            variable.assign(array)
    _raise(problems, len(network["operations"]), source)


def _leaf(path: str) -> str:
    return path.split(":")[0].rsplit("/", 1)[-1].replace("depthwise_kernel", "kernel")

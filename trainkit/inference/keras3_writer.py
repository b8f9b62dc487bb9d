"""The child process that writes a file of Keras 3: `python -m trainkit.inference.keras3_writer FOLDER`.

The folder holds `network.json`, a flat network in plain values, and `weights.npz`. The child leaves `model.keras`, or
`error.json`: `message`, and `kind`, which is `output` where a file could not be written. In its environment `tf.keras`
must not be tf_keras.
"""

from __future__ import annotations

import inspect
import json
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

RENAMED = {("LeakyReLU", "alpha"): "negative_slope"}
"""Arguments that Keras 3 has by another name."""
ACTIVATIONS = {"swish": "silu"}
DROPPED = (
    *("_initializer", "_regularizer", "_constraint", "implementation", "time_major", "batch_input_shape"),
    *("query_shape", "key_shape", "value_shape", "trainable"),
)
"""Ends of arguments that say nothing of how the network answers."""
NEUTRAL = {"groups": 1, "renorm_momentum": 0.99}
"""What arguments that Keras 3 lacks are where nobody has set them."""


class RefusalError(Exception):
    """Why a layer cannot be one of Keras 3."""


def main(folder: Path) -> None:
    """Build the network that the folder describes, and save it."""
    try:
        network = json.loads((folder / "network.json").read_text(encoding="utf-8"))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # kills even where native code hangs
        signal.setitimer(signal.ITIMER_REAL, network["timeout"])
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            weights = [arrays[f"arr_{index}"] for index in range(len(arrays))]
        _build(import_module("keras"), network, weights).save(folder / "model.keras")
    except Exception as error:  # all of them are for the parent to report
        message = str(error).strip() or type(error).__name__
        kind = "output" if isinstance(error, OSError) else "other"
        (folder / "error.json").write_text(json.dumps({"kind": kind, "message": message}), encoding="utf-8")
        sys.exit(1)


def _build(keras: Any, network: dict[str, Any], weights: list[np.ndarray]) -> Any:
    tensors = {
        one["tensor"]: keras.Input(batch_shape=one["shape"], dtype=one["dtype"], name=one["name"])
        for one in network["inputs"]
    }
    layers, problems = [], []
    for operation in network["operations"]:
        try:
            layers.append(_layer(keras, operation))
        except RefusalError as refusal:
            problems.append(f"`{operation['name']}` ({operation['class_name']}): {refusal}")
    if problems:
        raise ValueError("; ".join(problems))
    inputs = list(tensors.values())
    for call in network["calls"]:
        name = network["operations"][call["operation"]]["name"]
        try:
            given = _filled(call["arguments"], tensors), _filled(call["keywords"], tensors)
            answers = keras.tree.flatten(layers[call["operation"]](*given[0], **given[1]))
        except (TypeError, ValueError) as error:
            raise ValueError(f"`{name}` cannot be called in Keras 3: {str(error).splitlines()[0]}") from error
        tensors |= dict(zip(call["outputs"], answers, strict=True))
    for operation, layer in zip(network["operations"], layers, strict=True):
        layer.trainable = operation["config"].get("trainable", True)
    model = keras.Model(inputs, [tensors[number] for number in network["outputs"]], name=network["name"])
    _set_weights(network, layers, weights)
    return model


def _filled(value: Any, tensors: dict[int, Any]) -> Any:
    if isinstance(value, dict):
        if list(value) == ["tensor"]:
            return tensors[value["tensor"]]
        return {key: _filled(item, tensors) for key, item in value.items()}
    return [_filled(item, tensors) for item in value] if isinstance(value, list) else value


def _layer(keras: Any, operation: dict[str, Any]) -> Any:
    """A layer of Keras 3 from the config that it has in tf_keras."""
    class_name = operation["class_name"]
    layer_class = getattr(keras.layers, class_name, None)
    if layer_class is None:
        raise RefusalError("Keras 3 has no layer of this class")
    known = _parameters(layer_class)
    arguments = {}
    for key, value in operation["config"].items():
        if key == "axis" and class_name == "BatchNormalization" and isinstance(value, list) and len(value) == 1:
            value = value[0]
        name = RENAMED.get((class_name, key), key)
        if key.endswith(DROPPED) or value is None:
            continue
        if name not in known:
            if value is False or value == [] or NEUTRAL.get(key) == value:
                continue
            raise RefusalError(f"Keras 3 has no argument {key}={value!r}")
        arguments[name] = _value(keras, key, value)
    try:
        return layer_class(**arguments)
    except (TypeError, ValueError) as error:
        raise RefusalError(f"Keras 3 refuses its arguments: {str(error).splitlines()[0]}") from error


def _parameters(layer_class: type) -> set[str]:
    """The arguments of a class, and of the base classes that it hands further ones on to."""
    names: set[str] = set()
    for owner in layer_class.__mro__:
        if "__init__" in vars(owner):
            parameters = inspect.signature(vars(owner)["__init__"]).parameters
            names |= parameters.keys()
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
                break
    return names | {"name", "dtype"}


def _value(keras: Any, key: str, value: Any) -> Any:
    if key.endswith("activation"):
        if value == "hard_sigmoid":
            raise RefusalError(f"{key}='hard_sigmoid' is another function in Keras 3")
        if not isinstance(value, str) or not hasattr(keras.activations, ACTIVATIONS.get(value, value)):
            raise RefusalError(f"Keras 3 has no {key}={value!r}")
        return ACTIVATIONS.get(value, value)
    if isinstance(value, list):
        return [_value(keras, "", item) for item in value]
    if isinstance(value, dict) and "class_name" in value:
        return _layer(keras, value)
    return value


def _set_weights(network: dict[str, Any], layers: list[Any], weights: list[np.ndarray]) -> None:
    values, problems = iter(weights), []
    for operation, layer in zip(network["operations"], layers, strict=True):
        given = [(name, next(values)) for name in operation["weights"]]
        if operation["class_name"] == "Normalization":
            continue  # its statistics are arguments
        given.sort(key=lambda pair: pair[0])
        own = sorted(layer.weights, key=lambda weight: _leaf(weight.path))
        told = [[f"{name} {tuple(array.shape)}" for name, array in given]]
        told.append([f"{_leaf(weight.path)} {tuple(weight.shape)}" for weight in own])
        if told[0] != told[1]:
            had, has = (", ".join(texts) for texts in told)
            problems.append(f"`{operation['name']}` ({operation['class_name']}): its weights are {had}; there {has}")
            continue
        for weight, (_, array) in zip(own, given, strict=True):
            weight.assign(array)
    if problems:
        raise ValueError("; ".join(problems))


def _leaf(path: str) -> str:
    return path.rsplit("/", 1)[-1].replace("depthwise_kernel", "kernel")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

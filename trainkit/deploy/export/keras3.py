"""Keras -> a .keras file of Keras 3"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.deploy.compress.flatten import flatten
from trainkit.deploy.export.context import ExportContext
from trainkit.deploy.export.encodings import named
from trainkit.errors import DiskFullError, ExportError
from trainkit.framework import tf
from trainkit.inference.isolated import TIMEOUT, describe_end
from trainkit.inference.predictor import ENVIRONMENTS
from trainkit.inference.temporary import temporary_folder
from trainkit.models.calls import calls_of
from trainkit.runs import replace_file

_WORKS_ON_TABLES = ("CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "StringLookup")
_REFUSED = dict.fromkeys((*_WORKS_ON_TABLES, "TextVectorization"), "its table is not carried over")
_REFUSED |= dict.fromkeys(
    ("Lambda", "TFOpLambda", "SlicingOpLambda"), "it is a function of TensorFlow, no layer of Keras 3"
)


def export_keras3(model: Any, filepath: Path, *, context: ExportContext) -> Path:
    """Write a model for Keras 3, with the layers, names and weights of this one; models inside it are dissolved.

    Args:
        model: A `tf.keras.Model`; it is not changed.
        filepath: Where to write.
        context: What every exporter is told.

    Returns:
        `filepath`.

    Raises:
        ExportError: If Keras 3 lacks a layer or an argument; all such layers are named.
        OutputError: If the file, or what it is made from, cannot be written.
    """
    _check_layers(model, filepath.name)
    flat = flatten(model)
    network, weights = _describe(flat)
    with temporary_folder() as folder:
        (folder / "network.json").write_text(json.dumps(network | {"timeout": TIMEOUT}), encoding="utf-8")
        np.savez(folder / "weights.npz", *weights)
        if failure := _run_child(folder):
            cure = "Replace what is named, or leave Keras3 out of deploy.export."
            raise ExportError(f"{filepath.name} cannot be written: {failure.rstrip('.')}. {cure}")
        with replace_file(filepath) as temporary:
            temporary.write_bytes((folder / "model.keras").read_bytes())
    return filepath


def _check_layers(model: Any, filename: str) -> None:
    """Refuse layers that are none of Keras, and those that work on tables and texts."""
    problems = []
    leaves = [layer for layer in model._flatten_layers(include_self=False) if not isinstance(layer, tf.keras.Model)]
    for layer in leaves:
        if not type(layer).__module__.startswith("tf_keras."):
            problems.append(f"{named(layer)}: it is no layer of Keras")
        elif (reason := _REFUSED.get(type(layer).__name__)) is not None:
            problems.append(f"{named(layer)}: {reason}")
    if problems:
        cure = "Replace what is named, or leave Keras3 out of deploy.export: SavedModel and ONNX hold it."
        raise ExportError(f"{filename} cannot be written: {'; '.join(problems)}. {cure}")


def _describe(model: Any) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The network in plain values, and the weights of its layers, one after the other."""
    calls = calls_of(model)
    layers = list({id(call.layer): call.layer for call in calls}.values())
    numbers: dict[int, int] = {}
    for tensor in [*model.inputs, *(tensor for call in calls for tensor in tf.nest.flatten(call.outputs))]:
        numbers.setdefault(id(tensor), len(numbers))
    places = {id(layer): index for index, layer in enumerate(layers)}
    network = {
        "name": model.name,
        "inputs": [
            {
                "tensor": numbers[id(tensor)],
                "name": name,
                "shape": list(tensor.shape),
                "dtype": tf.as_dtype(tensor.dtype).name,
            }
            for name, tensor in zip(model.input_names, model.inputs, strict=True)
        ],
        "outputs": [numbers[id(tensor)] for tensor in model.outputs],
        "operations": [_operation(layer) for layer in layers],
        "calls": [
            {
                "operation": places[id(call.layer)],
                "arguments": _plain(call.call_args, numbers, call.layer),
                "keywords": {
                    key: _plain(value, numbers, call.layer)
                    for key, value in call.call_kwargs.items()
                    if value is not None and key not in ("training", "mask")
                },
                "outputs": [numbers[id(tensor)] for tensor in tf.nest.flatten(call.outputs)],
            }
            for call in calls
        ],
    }
    return network, [np.asarray(weight) for layer in layers for weight in _variables(layer)]


def _operation(layer: Any) -> dict[str, Any]:
    config = json.loads(json.dumps(layer.get_config(), default=_jsonable))
    if isinstance(layer, tf.keras.layers.Normalization):
        config |= {key: np.asarray(getattr(layer, key)).reshape(-1).tolist() for key in ("mean", "variance")}
        config |= {"axis": layer.axis[0] if len(layer.axis) == 1 else None}
    names = [
        variable.name.split(":")[0].rsplit("/", 1)[-1].replace("depthwise_kernel", "kernel")
        for variable in _variables(layer)
    ]
    return {"class_name": type(layer).__name__, "name": layer.name, "config": config, "weights": names}


def _variables(layer: Any) -> list[Any]:
    return [weight for weight in layer.weights if hasattr(weight, "numpy")]


def _jsonable(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def _plain(value: Any, numbers: dict[int, int], layer: Any) -> Any:
    if id(value) in numbers:
        return {"tensor": numbers[id(value)]}
    if isinstance(value, list | tuple):
        return [_plain(item, numbers, layer) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, numbers, layer) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ExportError(f"{named(layer)} must be called with outputs of layers alone. Received: {type(value).__name__}.")


def _run_child(folder: Path) -> str:
    """Let the child build and save the model; returns why it could not."""
    # -P: a file of the working directory must not stand in for a module
    command = [sys.executable, "-P", "-m", "trainkit.inference.keras3_writer", str(folder)]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=os.environ | ENVIRONMENTS["Keras 3"]
    )
    if ended.returncode == 0:
        return ""
    if (folder / "error.json").exists():
        error = json.loads((folder / "error.json").read_text(encoding="utf-8"))
        message = " ".join(error["message"].split())[:500]
        if error["kind"] == "output":
            raise DiskFullError(f"{folder} cannot be written: {message.rstrip('.')}.")
        return message
    return f"Keras 3: {describe_end(ended.returncode, ended.stderr, TIMEOUT)}"

"""Keras -> .tkz"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.coding import read_container, write_container
from trainkit.deploy.export.context import ExportContext
from trainkit.deploy.export.encodings import named
from trainkit.errors import ExportError
from trainkit.framework import tf
from trainkit.runs import replace_file


def export_tkz(model: Any, filepath: Path, *, context: ExportContext) -> Path:
    """Write a model in as few bytes as it needs: what was pruned, clustered or set to steps of a grid needs few.

    `trainkit unpack` makes a .keras file of it again. Every weight comes back as it was, but for the sign of zeros: -0
    is 0 then, which computes the same.

    Args:
        model: A `tf.keras.Model`; it is not changed.
        filepath: Where to write.
        context: What every exporter is told.

    Returns:
        `filepath`.

    Raises:
        ExportError: If the model has layers that are described by more than their arguments and weights.
        OutputError: If the file cannot be written.
    """
    del context
    _check_layers(model, filepath.name)
    network, weights = describe_network(model), list(map(_value, model.weights))
    places = geometries(model)
    try:
        content = write_container(network, weights, [places.get(id(weight)) for weight in model.weights])
    except ValueError as error:
        raise ExportError(f"{filepath.name} cannot be written: {error}") from error
    if not all(map(_are_equal, weights, read_container(content).weights)):
        raise ExportError(f"{filepath.name} cannot be written: its weights do not come back as they were.")
    with replace_file(filepath) as temporary:
        temporary.write_bytes(content)
    return filepath


def describe_network(model: Any) -> str:
    """A model as JSON of which `tf.keras.saving.deserialize_keras_object` makes it again, without its weights."""
    described = json.loads(json.dumps(tf.keras.saving.serialize_keras_object(model)))
    return json.dumps(_without(described, ("build_config", "compile_config")), separators=(",", ":"))


def geometries(model: Any) -> dict[int, tuple[int, int, int]]:
    """What the inputs of dense kernels were before they were made flat, `(height, width, channels)`.

    Returns:
        By the id of the kernel, of those kernels whose inputs are known to be an image or a sequence.
    """
    found = {}
    for layer in model._flatten_layers():
        if type(layer) is tf.keras.layers.Dense and len(layer.inbound_nodes) == 1:
            shape = _before_flat(layer)
            if shape is not None and np.prod(shape) == layer.kernel.shape[0]:
                found[id(layer.kernel)] = shape
    return found


_ELEMENTWISE = ("Activation", "BatchNormalization", "Dropout", "LeakyReLU", "ReLU", "Rescaling")


def _before_flat(layer: Any) -> tuple[int, int, int] | None:
    """The shape that the inputs of a layer had before a `Flatten`, None where there is none."""
    while not isinstance(layer, tf.keras.layers.Flatten):
        before = layer.inbound_nodes[0].inbound_layers if len(layer.inbound_nodes) == 1 else None
        if not isinstance(before, tf.keras.layers.Layer) or type(layer).__name__ not in ("Dense", *_ELEMENTWISE):
            return None
        if isinstance(before, tf.keras.layers.Dense):
            return None
        layer = before
    shape = layer.input_shape[1:] if isinstance(layer.input_shape, tuple) else ()
    if len(shape) not in (2, 3) or None in shape or layer.data_format != "channels_last":
        return None
    return (shape[0], shape[1] if len(shape) == 3 else 1, shape[-1])


def _check_layers(model: Any, filename: str) -> None:
    """Refuse layers that work on tables, and what is no functional model."""
    if not isinstance(model, tf.keras.Model) or not model._is_graph_network:
        raise ExportError(f"{filename} cannot be written: the model must be functional.")
    tables = ("Discretization", "IntegerLookup", "StringLookup", "TextVectorization", "Lambda")
    refused = [named(layer) for layer in model._flatten_layers() if type(layer).__name__ in tables]
    if refused:
        cure = "Leave Tkz out of deploy.export: SavedModel and ONNX hold it."
        raise ExportError(f"{filename} cannot be written: {', '.join(refused)} has a table or Python code. {cure}")


def _value(variable: Any) -> np.ndarray:
    """The values of a weight, of which no zero has a sign."""
    values = variable.numpy()
    return np.where(values == 0, np.zeros((), values.dtype), values) if values.dtype.kind == "f" else values


def _are_equal(one: np.ndarray, other: np.ndarray) -> bool:
    return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


def _without(value: Any, keys: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, keys) for item in value]
    if isinstance(value, dict):
        return {key: _without(item, keys) for key, item in value.items() if key not in keys}
    return value

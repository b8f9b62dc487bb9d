"""Weights of layers in the files that Keras writes, found by the names of the layers; nothing in a file is run."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np

from trainkit.config import snake_case

Weights = dict[str, list[np.ndarray]]
"""The weights of each layer, by its name."""
_BROKEN = (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading a file raises that is broken, or none of Keras."""


_DAMAGED = (
    OSError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a file that is damaged, or none of Keras, may raise."""


class WeightsError(ValueError):
    """A file of weights cannot be read, or does not fit; the message is for the user."""


def assign_weights(model: Any, path: Path, *, prefixes: Sequence[str] = ("",)) -> None:
    """Give the layers of a model the weights that a file has for layers of their names.

    Args:
        model: A `tf.keras.Model`.
        path: A .keras or .h5 file with the names of its layers, a .weights.h5 of the very same network, or a run.
        prefixes: What the names may begin with in the file, the likeliest first.

    Raises:
        WeightsError: If the file cannot be read, a layer is missing in it, or its weights have other shapes.
    """
    path = path / "model.keras" if path.is_dir() else path
    if not path.is_file():
        raise WeightsError(
            f"`weights` must be a file of Keras or a run. Received: {str(path)!r}, which does not exist."
        )
    if path.name.endswith(".weights.h5"):
        _load_in_order(model, path)
        return
    found = read_weights(path)
    layers = [layer for layer in model.layers if layer.weights]
    named = {layer.name: _named(layer.name, found, prefixes) for layer in layers}
    missing = [name for name, arrays in named.items() if arrays is None]
    if missing:
        told = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        raise WeightsError(f"{path} has no weights for {len(missing)} of {len(layers)} layers: {told}.")
    for layer in layers:
        arrays = named[layer.name] or []
        shapes, expected = [array.shape for array in arrays], [tuple(variable.shape) for variable in layer.weights]
        if shapes != expected:
            raise WeightsError(f"the weights of {layer.name!r} must have the shapes {expected}. Received: {shapes}.")
        layer.set_weights(arrays)


def read_weights(filepath: Path) -> Weights:
    """The weights of a .keras or .h5 file, by the names of the layers.

    Those of layers that are made of several others (Bidirectional, MultiHeadAttention) are left out of a .keras.

    Raises:
        WeightsError: If it is no such file.
    """
    try:
        if zipfile.is_zipfile(filepath):
            return _read_archive(filepath)
        with h5py.File(filepath) as file:
            return _read_legacy(file.get("model_weights", file))
    except _BROKEN as error:
        raise WeightsError(f"{filepath} is no file of weights that names its layers: {error}.") from error


def _named(name: str, found: Mapping[str, list[np.ndarray]], prefixes: Sequence[str]) -> list[np.ndarray] | None:
    plain = name.replace("/", "_")
    keys = [f"{prefix}{one}" for prefix in prefixes for one in (name, plain)]
    return next((found[key] for key in keys if key in found), None)


def _load_in_order(model: Any, path: Path) -> None:
    try:
        model.load_weights(path)
    except _BROKEN as error:
        said = " ".join(str(error).split())[:200].rstrip(".")
        raise WeightsError(f"{path} does not have the weights of this network: {said}.") from error


def _read_archive(filepath: Path) -> Weights:
    """A .keras file: its config has the names, in the order in which the weights are kept by class."""
    with zipfile.ZipFile(filepath) as archive:
        config = json.loads(archive.read("config.json"))["config"]
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            return _of_layers(config.get("layers", []), file)


def _of_layers(layers: Sequence[Mapping[str, Any]], file: Any) -> Weights:
    group = file["_layer_checkpoint_dependencies"] if "_layer_checkpoint_dependencies" in file else file["layers"]
    counts: dict[str, int] = {}
    weights = {}
    for layer in layers:
        kind = snake_case(layer["class_name"].split(">")[-1])
        number = counts.get(kind, 0)
        counts[kind] = number + 1
        key = f"{kind}_{number}" if number else kind
        if key in group:
            arrays = _variables(group[key])
            if arrays is not None:
                weights[layer["config"]["name"]] = arrays
    return weights


def _variables(group: Any) -> list[np.ndarray] | None:
    """The variables of a layer and of the one in it; None where there are several: their order is not told."""
    own = group.get("vars", {})
    arrays = [np.asarray(own[key]) for key in sorted(own, key=int)]
    inner = [_variables(group[key]) for key in set(group) - {"vars"} if isinstance(group[key], h5py.Group)]
    filled = [values for values in inner if values != []]
    if len(filled) > 1 or (filled and arrays) or None in filled:
        return None
    return arrays + (filled[0] or [] if filled else [])


def _read_legacy(group: Any) -> Weights:
    """An .h5 file: a group a layer, with the names of its variables in their order."""
    names = [_text(name) for name in group.attrs["layer_names"]]
    return {name: [np.asarray(group[name][_text(key)]) for key in group[name].attrs["weight_names"]] for name in names}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

"""One flat network out of nested ones."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.models.calls import calls_of, is_graph, name_outputs, rebuild, replay
from trainkit.models.describe.names import unique_name

_MIXED = ("mixed_float16", "mixed_bfloat16")


def flatten(model: Any) -> Any:
    """Make one flat functional model that shares nothing with a model, and answers like it.

    Weights, statistics and vocabularies are copied. Models inside the model are dissolved, at any depth: a layer
    `conv` of `encoder` is called `encoder.conv`. What computed in half precision computes in float32.

    Args:
        model: A functional or sequential `tf.keras.Model`; it is not changed.

    Returns:
        A functional model with the input names, output names and order of `model`, and the names of its own layers.
    """
    copy = _copy_in_float32(model)
    if type(copy) is not tf.keras.Sequential and not any(is_graph(layer) for layer in copy.layers):
        return copy
    names = list(copy.output_names)
    _rename(copy, "", {layer.name for layer in copy.layers if not is_graph(layer)} | set(names))
    return name_outputs(rebuild(copy, _inline), names)


def _copy_in_float32(model: Any) -> Any:
    with tempfile.TemporaryDirectory(prefix="trainkit-") as folder:
        filepath, rewritten = Path(folder) / "model.keras", Path(folder) / "float32.keras"
        model.save(filepath, save_format="keras")
        with zipfile.ZipFile(filepath) as old, zipfile.ZipFile(rewritten, "w") as new:
            for entry in old.infolist():
                content = old.read(entry)
                if entry.filename == "config.json":
                    content = json.dumps(_in_float32(json.loads(content))).encode()
                new.writestr(entry.filename, content)
        return KerasPredictor(rewritten).model


def _in_float32(config: Any) -> Any:
    """A configuration without mixed precision."""
    if isinstance(config, list):
        return [_in_float32(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "Policy" and config["config"]["name"] in _MIXED:
        return "float32"
    return {
        key: "float32" if key == "dtype" and value in _MIXED else _in_float32(value) for key, value in config.items()
    }


def _rename(model: Any, prefix: str, taken: set[str]) -> None:
    """Name the layers of models inside a model after the way to them; `taken` grows."""
    for layer in model.layers:
        if is_graph(layer):
            _rename(layer, f"{prefix}{layer.name}.", taken)
        elif prefix:
            layer._name = unique_name(prefix + layer.name, taken)
            taken.add(layer.name)


def _inline(call: Any, arguments: tuple, keywords: dict[str, Any]) -> Any:
    """Call a layer, or all layers of a model inside the model."""
    layer = call.layer
    if not is_graph(layer):
        return layer(*arguments, **keywords)
    given = layer._flatten_to_reference_inputs(arguments[0] if arguments else keywords["inputs"])
    training = keywords.get("training")

    def inline(call: Any, arguments: tuple, keywords: dict[str, Any]) -> Any:
        if training is not None and call.layer._expects_training_arg:
            keywords.setdefault("training", training)
        return _inline(call, arguments, keywords)

    values = {id(tensor): new for tensor, new in zip(layer.inputs, given, strict=True)}
    calls = calls_of(layer)
    made = replay(calls, values, inline)
    return [made[id(tensor)] for tensor in layer.outputs]

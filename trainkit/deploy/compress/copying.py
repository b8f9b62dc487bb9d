"""A model that shares nothing with the one it was copied from."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.models.calls import call_in_turn, name_outputs, rebuild


def copy_model(model: Any) -> Any:
    """Copy a `tf.keras.Model` with weights, statistics and vocabularies."""
    with tempfile.TemporaryDirectory(prefix="trainkit-") as folder:
        filepath = Path(folder) / "model.keras"
        model.save(filepath, save_format="keras")
        return KerasPredictor(filepath).model


def wrap_layers(model: Any, wrap: Callable[[Any], Any]) -> Any:
    """A copy of a model with some of its layers wrapped; wrappers may change what they wrap.

    Args:
        model: A flat functional model; it is not changed.
        wrap: From a layer to the wrapper that takes its place, or to the layer itself.
    """
    return tf.keras.models.clone_model(copy_model(model), clone_function=wrap)


def replace_layers(model: Any, parts: Mapping[str, Sequence[Any]]) -> Any:
    """A copy of a model with several layers, one after the other, in place of one; outputs keep their names.

    Args:
        model: A flat functional model; it is not changed.
        parts: By the name of the layer. Where it is called more than once, so are they.
    """
    network = rebuild(
        copy_model(model),
        lambda call, arguments, keywords: call_in_turn(parts.get(call.layer.name, [call.layer]), arguments, keywords),
    )
    return name_outputs(network, model.output_names)

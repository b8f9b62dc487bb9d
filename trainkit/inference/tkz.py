"""A .tkz file as a model of tf_keras."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.coding import Contents, DamagedError, read_container
from trainkit.errors import InputError, PredictionError
from trainkit.framework import tf
from trainkit.inference.predictor import reason_of
from trainkit.inference.python_code import check_code


def read_tkz(filepath: Path) -> Any:
    """Read a network and its weights, all of which come back as they were.

    Nothing of the file is run, and it makes no room for more weights than it brings.

    Args:
        filepath: A file of the exporter `Tkz`.

    Returns:
        A functional `tf.keras.Model`.

    Raises:
        InputError: If its network holds Python code.
        PredictionError: If it is another file, or damaged.
    """
    try:
        contents = read_container(filepath.read_bytes())
        config = json.loads(contents.network)
        check_code(config, filepath)
        model = _build(config, contents)
        _set_weights(model, contents.weights)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:  # DamagedError is one, and what JSON says
        told = str(error) if isinstance(error, DamagedError) else "describes no network"
        raise PredictionError(f"{filepath.name} cannot be opened by TrainKit: it {told}.") from error
    return model


def _build(config: Any, contents: Contents) -> Any:
    try:
        with tf.variable_creator_scope(_limited(sum(weight.size for weight in contents.weights))):
            model = tf.keras.saving.deserialize_keras_object(config, safe_mode=True)
    except DamagedError:
        raise
    except Exception as error:  # whatever Keras meets in a description that nobody has written
        raise DamagedError(f"describes a network that cannot be built: {reason_of(error)}") from error
    if not isinstance(model, tf.keras.Model) or not model.built:
        raise DamagedError("describes no network")
    return model


def _limited(most: int) -> Callable[..., Any]:
    """What makes variables, until those with axes have more values than a file brings."""
    made = 0

    def create(make: Callable[..., Any], **arguments: Any) -> Any:
        nonlocal made
        shape = tf.TensorShape(arguments.get("shape") or ())  # of the counters of Keras there is none
        made += (shape.num_elements() or 0) if shape.rank else 0
        if made > most:
            raise DamagedError(f"describes a network of more than the {most:,} values that it brings")
        return make(**arguments)

    return create


def _set_weights(model: Any, weights: Sequence[np.ndarray]) -> None:
    found = [(tuple(one.shape), one.dtype.name) for one in model.weights]
    brought = [(one.shape, one.dtype.name) for one in weights]
    if found != brought:
        raise DamagedError(f"describes a network of {len(found):,} weights that are not the {len(brought):,} it brings")
    for variable, weight in zip(model.weights, weights, strict=True):
        variable.assign(weight)
    for layer in model._flatten_layers():
        if isinstance(layer, tf.keras.layers.Normalization):
            layer.finalize_state()

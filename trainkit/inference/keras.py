"""Answers of a Keras model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.errors import PredictionError
from trainkit.framework import tf
from trainkit.inference.keras3 import is_keras3, read_keras3
from trainkit.inference.predictor import TensorFacts, as_text, check_inputs, describe
from trainkit.inference.python_code import refuse_python_code
from trainkit.inference.tkz import read_tkz
from trainkit.models import layers  # noqa: F401  registers layers that a file may hold

BATCH_SIZE = 256


class KerasPredictor:
    """A Keras model behind the contract of predictors; it runs in batches.

    Args:
        model: A `tf.keras.Model` with named inputs and outputs, or the path of a .keras, .h5 or .tkz file, of Keras 3
            too.

    Raises:
        InputError: If the file holds Python code.
        PredictionError: If it cannot be opened.
    """

    def __init__(self, model: Any) -> None:
        self.model = _read(Path(model)) if isinstance(model, str | Path) else model
        self.inputs = _describe(self.model.input_names, self.model.inputs)
        self.outputs = _describe(self.model.output_names, self.model.outputs)

    @property
    def facts(self) -> dict[str, Any]:
        """Names, shapes and dtypes."""
        return describe(self.inputs, self.outputs)

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answer samples; see `Predictor.predict`."""
        samples = check_inputs(inputs, self.inputs)
        starts = range(0, samples, BATCH_SIZE)
        batches = [
            self._answer({name: x[start : start + BATCH_SIZE] for name, x in inputs.items()}) for start in starts
        ]
        return {name: np.concatenate([batch[name] for batch in batches]) for name in self.outputs}

    def _answer(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        arrays = [_encode(batch[name], facts.dtype) for name, facts in self.inputs.items()]
        try:
            given = tf.nest.flatten(self.model.predict_on_batch(arrays if len(arrays) > 1 else arrays[0]))
        except tf.errors.OpError as error:  # a category that is not known, say
            raise PredictionError(f"the model cannot be run by Keras: {graph_reason(error)}.") from error
        return {name: np.asarray(array, np.float32) for name, array in zip(self.outputs, given, strict=True)}


def graph_reason(error: Exception) -> str:
    """What TensorFlow says after the lines of Python that have led there."""
    lines = str(error).split("\t [[")[0].strip().splitlines() or [type(error).__name__]
    return lines[-1].rstrip(".")


def _encode(array: np.ndarray, dtype: str) -> np.ndarray:
    return as_text(array) if dtype == "string" else array.astype(dtype)


def _read(filepath: Path) -> Any:
    if filepath.suffix == ".tkz":
        return read_tkz(filepath)
    refuse_python_code(filepath)
    if is_keras3(filepath):
        return read_keras3(filepath)
    try:
        model = tf.keras.models.load_model(filepath, compile=False)
    except Exception as error:  # whatever Keras meets in a file that is damaged, or of another Keras
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise PredictionError(f"{filepath.name} cannot be opened by Keras: {reason.rstrip('.')}.") from error
    _restore_boundaries(model)
    return model


def _restore_boundaries(model: Any) -> None:
    """Make boundaries of what a `Discretization` has learned: Keras reads it, and leaves it at that."""
    for layer in model._flatten_layers():
        if isinstance(layer, tf.keras.layers.Discretization) and not layer.bin_boundaries:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, about TensorFlow's own arrays
                layer.finalize_state()


def _describe(names: list[str], tensors: list[Any]) -> dict[str, TensorFacts]:
    pairs = zip(names, tensors, strict=True)
    return {name: TensorFacts(tuple(tensor.shape), tf.as_dtype(tensor.dtype).name) for name, tensor in pairs}

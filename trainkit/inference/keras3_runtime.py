"""Answers of a .keras file, given by Keras 3 itself."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.errors import PredictionError
from trainkit.inference.predictor import TensorFacts, check_inputs, describe, reason_of
from trainkit.inference.python_code import refuse_python_code

BATCH_SIZE = 256


class Keras3Predictor:
    """A file of Keras 3 behind the contract of predictors, run by the Keras that is not tf_keras.

    Args:
        filepath: A .keras file.

    Raises:
        InputError: If the file holds Python code.
        PredictionError: If Keras 3 refuses it.
    """

    def __init__(self, filepath: Path | str) -> None:
        self._name = Path(filepath).name
        refuse_python_code(Path(filepath))
        self._keras = import_module("keras")
        try:
            self._model = self._keras.models.load_model(filepath, compile=False, safe_mode=True)
        except Exception as error:  # whatever Keras meets
            raise PredictionError(f"{self._name} cannot be opened by Keras 3: {reason_of(error)}.") from error
        self.inputs = {tensor.name: _describe(tensor) for tensor in self._model.inputs}
        makers = [tensor._keras_history.operation.name for tensor in self._model.outputs]
        self.outputs = {name: _describe(tensor) for name, tensor in zip(makers, self._model.outputs, strict=True)}

    @property
    def facts(self) -> dict[str, Any]:
        """Names, shapes and dtypes; the version of Keras that wrote it."""
        return describe(self.inputs, self.outputs) | {"keras": self._keras.__version__}

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answer samples; see `Predictor.predict`."""
        samples = check_inputs(inputs, self.inputs)
        batches = [
            self._answer([inputs[name][start : start + BATCH_SIZE] for name in self.inputs])
            for start in range(0, samples, BATCH_SIZE)
        ]
        return {
            name: np.concatenate(parts) for name, parts in zip(self.outputs, zip(*batches, strict=True), strict=True)
        }

    def _answer(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        typed = [array.astype(facts.dtype) for array, facts in zip(arrays, self.inputs.values(), strict=True)]
        try:
            given = self._model(typed if len(typed) > 1 else typed[0], training=False)
        except Exception as error:  # as above
            raise PredictionError(f"{self._name} cannot be run by Keras 3: {reason_of(error)}.") from error
        return [np.asarray(array, np.float32) for array in self._keras.tree.flatten(given)]


def _describe(tensor: Any) -> TensorFacts:
    return TensorFacts(tuple(tensor.shape), str(tensor.dtype))

"""Answers of a .onnx file, given by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from trainkit.errors import PredictionError
from trainkit.inference.predictor import TensorFacts, as_text, check_inputs, describe, reason_of

BATCH_SIZE = 256
_ERRORS_ONLY = 3
_DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16"}


class ONNXPredictor:
    """A .onnx file behind the contract of predictors; it runs on the CPU, in batches.

    Args:
        filepath: A file whose first axis is the batch.

    Raises:
        PredictionError: If ONNX Runtime refuses the file.
    """

    def __init__(self, filepath: Path | str) -> None:
        self._name = Path(filepath).name
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        try:
            self._session = onnxruntime.InferenceSession(str(filepath), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own errors have no common base
            raise PredictionError(f"{self._name} cannot be opened by ONNX Runtime: {reason_of(error)}.") from error
        self.inputs = {tensor.name: _describe(tensor) for tensor in self._session.get_inputs()}
        self.outputs = {tensor.name: _describe(tensor) for tensor in self._session.get_outputs()}

    @property
    def facts(self) -> dict[str, Any]:
        """Names, shapes, dtypes; the `metadata` of the file."""
        metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        return describe(self.inputs, self.outputs) | {"metadata": metadata}

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answer samples; see `Predictor.predict`."""
        samples = check_inputs(inputs, self.inputs)
        size = min((facts.shape[0] or BATCH_SIZE for facts in self.inputs.values()), default=BATCH_SIZE)
        starts = range(0, samples, size)
        batches = [self._answer({name: x[start : start + size] for name, x in inputs.items()}) for start in starts]
        columns = zip(*batches, strict=True)
        return {
            name: np.concatenate(arrays).astype(np.float32, copy=False)
            for name, arrays in zip(self.outputs, columns, strict=True)
        }

    def _answer(self, batch: dict[str, np.ndarray]) -> list[np.ndarray]:
        feed = {name: _encode(array, self.inputs[name].dtype) for name, array in batch.items()}
        try:
            return self._session.run(list(self.outputs), feed)
        except Exception as error:  # as above
            raise PredictionError(f"{self._name} cannot be run by ONNX Runtime: {reason_of(error)}.") from error


def _encode(array: np.ndarray, dtype: str) -> np.ndarray:
    return as_text(array).astype(object) if dtype == "string" else array.astype(dtype, copy=False)


def _describe(tensor: Any) -> TensorFacts:
    shape = tuple(length if isinstance(length, int) else None for length in tensor.shape)
    return TensorFacts(shape, _DTYPES.get(tensor.type, tensor.type.removeprefix("tensor(").removesuffix(")")))

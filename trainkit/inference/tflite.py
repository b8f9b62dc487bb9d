"""Answers of a .tflite file, given by LiteRT."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from trainkit.errors import PredictionError
from trainkit.inference.layer_names import layer_of
from trainkit.inference.predictor import TensorFacts, check_inputs, describe, reason_of
from trainkit.native import quiet_stderr

SIGNATURE = "serving_default"


def quantize(values: np.ndarray, scale: float, zero_point: int, dtype: np.dtype | type | str) -> np.ndarray:
    """Turn real values into the integers that stand for them.

    Args:
        values: Real values, any shape.
        scale: The step between two integers.
        zero_point: The integer that stands for 0.
        dtype: An integer type; values beyond its range become its ends.

    Returns:
        Integers of the same shape.

    Example:
        >>> quantize(np.array([0.0, 1.0, 255.0, 300.0]), 1.0, -128, np.int8).tolist()
        [-128, -127, 127, 127]

    Reference:
        TensorFlow Lite 8-bit quantization specification: real_value = (int8_value - zero_point) × scale.
    """
    ends = np.iinfo(dtype)
    return np.clip(np.rint(values / np.float64(scale)) + zero_point, ends.min, ends.max).astype(dtype)


def dequantize(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Turn integers into the real values, float32, that they stand for."""
    return (np.float32(scale) * (values.astype(np.float32) - np.float32(zero_point))).astype(np.float32)


class TFLitePredictor:
    """A .tflite file behind the contract of predictors; it runs sample by sample, as an app does.

    Args:
        filepath: A file with the signature `serving_default`.

    Raises:
        PredictionError: If the interpreter refuses the file, or it has no such signature.
    """

    RUNTIME = "LiteRT"

    def __init__(self, filepath: Path | str) -> None:
        self._name = Path(filepath).name
        try:
            with quiet_stderr():  # it tells of every delegate
                self._interpreter = self._open(Path(filepath))
                self._interpreter.allocate_tensors()
                self._runner = self._interpreter.get_signature_runner(SIGNATURE)
        except (ValueError, RuntimeError, TypeError) as error:
            raise PredictionError(f"{self._name} cannot be opened by {self.RUNTIME}: {reason_of(error)}.") from error
        self.inputs = {name: _describe(detail) for name, detail in self._runner.get_input_details().items()}
        self.outputs = {name: _describe(detail) for name, detail in self._runner.get_output_details().items()}

    def _open(self, filepath: Path) -> Any:
        return Interpreter(str(filepath))

    @property
    def facts(self) -> dict[str, Any]:
        """Names, shapes, quantization; `dtypes` of tensors; what computes with real numbers inside.

        `float_tensors` are the tensors that hold real numbers, `float_operations` the operations that give or take
        them, each with the layer of the model: `ELU of layer 'elu1'`.
        """
        dtypes = sorted({np.dtype(tensor["dtype"]).name for tensor in self._interpreter.get_tensor_details()})
        inside = {"float_tensors": self._float_tensors(), "float_operations": self._float_operations()}
        return describe(self.inputs, self.outputs) | {"dtypes": dtypes} | inside

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answer samples; see `Predictor.predict`."""
        samples = check_inputs(inputs, self.inputs)
        prepared = {name: _encode(array, self.inputs[name]) for name, array in inputs.items()}
        try:
            answers = [self._runner(**{name: x[i : i + 1] for name, x in prepared.items()}) for i in range(samples)]
        except (ValueError, RuntimeError) as error:
            raise PredictionError(f"{self._name} cannot be run by {self.RUNTIME}: {reason_of(error)}.") from error
        return {
            name: _decode(np.concatenate([answer[name] for answer in answers]), facts)
            for name, facts in self.outputs.items()
        }

    def _float_tensors(self) -> list[str]:
        details = [*self._runner.get_input_details().values(), *self._runner.get_output_details().values()]
        edges = {detail["index"] for detail in details}
        tensors = self._interpreter.get_tensor_details()
        return [t["name"] for t in tensors if t["index"] not in edges and np.dtype(t["dtype"]).kind == "f"]

    def _float_operations(self) -> list[str]:
        tensors = {tensor["index"]: tensor for tensor in self._interpreter.get_tensor_details()}
        found = []
        for operation in self._interpreter._get_ops_details():  # the interpreter has no public list
            used = [tensors[index] for index in (*operation["inputs"], *operation["outputs"]) if index in tensors]
            is_float = any(np.dtype(tensor["dtype"]).kind == "f" for tensor in used)
            if is_float and operation["op_name"] not in _NO_COMPUTATION:
                found.append(f"{operation['op_name']} of {_layer_of(tensors[operation['outputs'][0]]['name'])}")
        return found


_NO_COMPUTATION = ("DELEGATE", "DEQUANTIZE", "QUANTIZE")


def _layer_of(name: str) -> str:
    """The layer that a tensor comes from, in words."""
    layer = layer_of(name)
    return f"layer {layer!r}" if layer else f"tensor {name!r}"


def _describe(detail: dict[str, Any]) -> TensorFacts:
    scale, zero_point = detail["quantization"]
    shape = tuple(None if length < 0 else int(length) for length in detail["shape_signature"])
    quantization = (float(scale), int(zero_point)) if scale else (None, None)
    return TensorFacts(shape, np.dtype(detail["dtype"]).name, *quantization)


def _encode(array: np.ndarray, facts: TensorFacts) -> np.ndarray:
    if facts.scale is not None and facts.zero_point is not None:
        return quantize(array, facts.scale, facts.zero_point, facts.dtype)
    return array.astype(facts.dtype)


def _decode(array: np.ndarray, facts: TensorFacts) -> np.ndarray:
    if facts.scale is not None and facts.zero_point is not None:
        return dequantize(array, facts.scale, facts.zero_point)
    return array.astype(np.float32)

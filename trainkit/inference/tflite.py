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
BATCH_SIZE = 32
"""Samples that are run at once: with more, the tensors between layers no longer fit into the caches."""


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
    """A .tflite file behind the contract of predictors.

    One sample runs as an app runs it, several in batches where the file takes them. What costs microseconds is done
    once: the interpreter is sized anew only for another number of samples, and inputs that look like the last ones are
    not checked again.

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
                inputs, outputs = _signature(self._interpreter)
        except (ValueError, RuntimeError, TypeError) as error:
            raise PredictionError(f"{self._name} cannot be opened by {self.RUNTIME}: {reason_of(error)}.") from error
        self.inputs = {name: _describe(detail) for name, detail in inputs.items()}
        self.outputs = {name: _describe(detail) for name, detail in outputs.items()}
        self._places = [detail["index"] for detail in inputs.values()]
        self._fetches = [(name, detail["index"], self.outputs[name]) for name, detail in outputs.items()]
        self._gives_float32 = all(facts.dtype == "float32" for facts in self.outputs.values())
        self._batch = BATCH_SIZE if all(facts.shape[:1] == (None,) for facts in self.inputs.values()) else 1
        self._shapes: list[tuple[int, ...]] = []
        self._ready: dict[str, tuple[Any, ...]] | None = None
        """Shapes and types of inputs that need no look: checked, nothing to convert, the interpreter sized for them."""

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
        form = {name: (array.shape, array.dtype) for name, array in inputs.items()}
        if form == self._ready:
            return self._run([inputs[name] for name in self.inputs])
        check_inputs(inputs, self.inputs)
        arrays = [_encode(inputs[name], facts) for name, facts in self.inputs.items()]
        size = self._batch
        if len(arrays[0]) <= size:
            outputs = self._answer(arrays)
            is_as_given = all(array is inputs[name] for name, array in zip(self.inputs, arrays, strict=True))
            self._ready = form if is_as_given else None
            return outputs
        starts = range(0, len(arrays[0]), size)
        batches = [self._answer([x[start : start + size] for x in arrays]) for start in starts]
        return {name: np.concatenate([batch[name] for batch in batches]) for name in self.outputs}

    def _answer(self, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
        self._ready = None
        shapes = [array.shape for array in arrays]
        if shapes != self._shapes:
            self._resize(shapes)
        return self._run(arrays)

    def _run(self, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
        interpreter = self._interpreter
        try:
            for index, array in zip(self._places, arrays):  # noqa: B905  of the same length, by the microsecond
                interpreter.set_tensor(index, array)
            interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise self._failure(error) from error
        if self._gives_float32:
            return {name: interpreter.get_tensor(index) for name, index, _ in self._fetches}
        return {name: _decode(interpreter.get_tensor(index), facts) for name, index, facts in self._fetches}

    def _resize(self, shapes: list[tuple[int, ...]]) -> None:
        self._shapes = []  # who knows how far it comes
        try:
            for index, shape in zip(self._places, shapes, strict=True):
                self._interpreter.resize_tensor_input(index, shape)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise self._failure(error) from error
        self._shapes = shapes

    def _failure(self, error: Exception) -> PredictionError:
        self._ready, self._shapes = None, []
        return PredictionError(f"{self._name} cannot be run by {self.RUNTIME}: {reason_of(error)}.")

    def _float_tensors(self) -> list[str]:
        edges = {*self._places, *(index for _, index, _ in self._fetches)}
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


def _signature(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs and outputs of the signature `serving_default`, by name.

    Raises:
        ValueError: If there is none, or it is not the graph that the interpreter runs by itself.
    """
    runner = interpreter.get_signature_runner(SIGNATURE)  # not kept: who holds it may not run the interpreter
    inputs, outputs = runner.get_input_details(), runner.get_output_details()
    own = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    names = {detail["index"]: detail["name"] for detail in own}
    for detail in (*inputs.values(), *outputs.values()):
        if names.get(detail["index"]) != detail["name"]:
            raise ValueError(f"the signature {SIGNATURE!r} must be that of its first graph")
    return inputs, outputs


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
    return array.astype(facts.dtype, copy=False)


def _decode(array: np.ndarray, facts: TensorFacts) -> np.ndarray:
    if facts.scale is not None and facts.zero_point is not None:
        return dequantize(array, facts.scale, facts.zero_point)
    return array.astype(np.float32, copy=False)

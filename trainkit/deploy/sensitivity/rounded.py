"""The network in float32 with one thing rounded: the kernels of a layer, or what it gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from trainkit.deploy.export.calibrated import Calibrated
from trainkit.deploy.export.operations import Operation, OperationsFile
from trainkit.deploy.sensitivity.parts import SAME_SCALE, Part
from trainkit.inference.tflite_graph import Tensor, TFLiteGraph

NARROWEST = 1e-30
"""Width of the range of a tensor that is always 0: its scale would be no number that LiteRT can divide by."""
LEVELS = 127
"""Steps on either side of 0 that a kernel has."""
_KERNELS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0, "CONV_3D": 4}
"""The axis of output channels, each with a scale of its own, of the kernel that an operation takes second."""
_SHARES, _SIGNED = (1 / 256, -128), (1 / 128, 0)
_FIXED = {"LOGISTIC": _SHARES, "SOFTMAX": _SHARES, "TANH": _SIGNED, "L2_NORMALIZATION": _SIGNED}
"""Scale and zero point of operations whose range is known, by TensorFlow Lite's specification."""


def round_kernel(values: np.ndarray, axis: int | None) -> np.ndarray:
    """A kernel as its integers stand for it.

    Args:
        values: The kernel.
        axis: That of output channels, each with a scale of its own; None for one scale.

    Example:
        >>> round_kernel(np.array([[100.0, 0.3], [1.0, 0.3]], np.float32), 0).astype(float).round(2).tolist()
        [[100.0, 0.0], [1.0, 0.3]]

    Reference:
        TensorFlow Lite 8-bit quantization specification: symmetric, from -127 to 127.
    """
    inner = None if axis is None else tuple(other for other in range(values.ndim) if other != axis)
    steps = np.abs(values).max(axis=inner, keepdims=True) / LEVELS
    rounded = np.rint(np.divide(values, steps, out=np.zeros_like(values), where=steps > 0))
    return (rounded * steps).astype(np.float32)


class RoundedFiles:
    """Makes files in which one thing is rounded, as in the file of integers.

    Args:
        calibrated: The network.
    """

    def __init__(self, calibrated: Calibrated) -> None:
        self._calibrated = calibrated

    def kernels(self, part: Part) -> bytes | None:
        """The network with the constants of a part rounded; None where it has none."""
        file = self._open()
        done = False
        for operation in (file.operations[place] for place in part.operations):
            for index, axis in kernels_of(file, operation):
                values = file.values(index)
                assert values is not None
                file.set_values(round_kernel(values, axis), index)
                done = True
        return file.graph.pack() if done else None

    def outputs(self, part: Part) -> bytes | None:
        """The network with what a part gives rounded; None where it only passes integers on."""
        file = self._open()
        chosen = [file.operations[place] for place in part.operations]
        done = [_round_tensor(file, one.outputs[0], one.kind) for one in chosen if one.kind not in SAME_SCALE]
        return file.graph.pack() if any(done) else None

    def input(self, name: str) -> bytes | None:
        """The network with an input rounded; None where it takes integers anyway."""
        file = self._open()
        done = [_round_tensor(file, index, "") for index, one in file.input_names().items() if one == name]
        return file.graph.pack() if any(done) else None

    def _open(self) -> OperationsFile:
        """The network anew, to be changed."""
        return OperationsFile(TFLiteGraph(self._calibrated.content), self._calibrated.graph)


def kernels_of(file: OperationsFile, operation: Operation) -> Iterator[tuple[int, int | None]]:
    """The float constants that an operation takes, without biases, and the axis of their channels."""
    for place, index in enumerate(operation.inputs):
        is_float = file.tensor(index).is_constant and file.tensor(index).dtype == "float32"
        if is_float and operation.kind in _KERNELS:
            if len(file.tensor(index).shape) > 1:
                yield index, _KERNELS[operation.kind]
        elif is_float and place < 2:
            yield index, None


def range_of(tensor: Tensor) -> tuple[float, float] | None:
    """The range that calibration has found for a tensor, with 0 in it."""
    return None if tensor.ends is None else (min(tensor.ends[0], 0.0), max(tensor.ends[1], 0.0))


def _round_tensor(file: OperationsFile, index: int, kind: str) -> bool:
    """Put a change to integers and back behind a tensor; False where it has no range."""
    ends = range_of(file.tensor(index))
    if ends is None or ends[1] - ends[0] < NARROWEST or file.tensor(index).dtype != "float32":
        return False
    model = file.graph.model
    (signature,) = model.signatureDefs
    graph = model.subgraphs[signature.subgraphIndex]
    tensor = graph.tensors[index]
    scale = (ends[1] - ends[0]) / 255
    scale, zero = _FIXED.get(kind, (scale, round(-128 - ends[0] / scale)))
    quantization = schema.QuantizationParametersT(scale=[scale], zeroPoint=[int(np.clip(zero, -128, 127))])
    shape = {"shape": tensor.shape, "shapeSignature": tensor.shapeSignature, "hasRank": True}
    rounded = schema.TensorT(type=schema.TensorType.INT8, name=b"rounded", quantization=quantization, **shape)
    real = schema.TensorT(type=schema.TensorType.FLOAT32, name=b"real", **shape)
    first = len(graph.tensors)
    graph.tensors += [rounded, real]
    for operator in graph.operators:
        operator.inputs = [first + 1 if one == index else one for one in operator.inputs]
    graph.outputs = [first + 1 if one == index else one for one in graph.outputs]
    for entry in signature.outputs:
        entry.tensorIndex = first + 1 if entry.tensorIndex == index else entry.tensorIndex
    casts = [
        _operator(model, schema.BuiltinOperator.QUANTIZE, index, first),
        _operator(model, schema.BuiltinOperator.DEQUANTIZE, first, first + 1),
    ]
    makers = [place for place, one in enumerate(graph.operators) if index in one.outputs]
    after = makers[0] + 1 if makers else 0
    graph.operators[after:after] = casts
    return True


def _operator(model: Any, code: int, given: int, gives: int) -> Any:
    model.operatorCodes.append(schema.OperatorCodeT(deprecatedBuiltinCode=code, builtinCode=code, version=1))
    return schema.OperatorT(opcodeIndex=len(model.operatorCodes) - 1, inputs=[given], outputs=[gives])

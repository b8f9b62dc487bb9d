"""The constant tensors of an exported file, and the operations that use them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.inference.saved_model import SIGNATURE


@dataclass(frozen=True)
class Constant:
    """A constant tensor of a file.

    Args:
        names: What it, the operation that uses it, and what that gives are called: they hold names of Keras layers.
        values: As they are stored: integers of a quantized one, whose zero is 0.
        channels: The axis of output channels, into which a converter may have multiplied a scale each; None where
            nothing is multiplied in.
    """

    names: tuple[str, ...]
    values: np.ndarray
    channels: int | None

    def is_of(self, layer: str, size: int) -> bool:
        """Whether it may be the kernel of a layer: converters join the names of what they fuse with `;`."""
        is_kernel = self.values.ndim > 1 and self.values.size == size
        return is_kernel and any(is_name_of(name, layer) for name in self.names)


def is_name_of(name: str, layer: str) -> bool:
    """Whether a tensor is of a layer, or of one that was made of it.

    Example:
        >>> is_name_of("net/block/conv/Relu;net/block/conv/BiasAdd", "block/conv")
        True
        >>> is_name_of("net/conv.linear/BiasAdd", "conv"), is_name_of("net/conv1/BiasAdd", "conv")
        (True, False)
    """
    return any(f"/{layer}{end}" in f"/{whole}/" for whole in name.split(";") for end in "/.")


def _without_model(name: bytes | str) -> str:
    """A tensor's name without that of the model, which a layer may have, too: `net/conv/BiasAdd` is `conv/BiasAdd`."""
    text = name.decode(errors="replace") if isinstance(name, bytes) else name
    return ";".join(whole.partition("/")[2] or whole for whole in text.split(";"))


def read_constants(filepath: Path) -> list[Constant]:
    """The constant tensors that operations of a file use.

    Args:
        filepath: A .tflite or .onnx file, a .keras file of Keras 3 or the directory of a SavedModel, written here: it
            is read in this process.
    """
    if filepath.is_dir():
        return list(_read_saved_model(filepath))
    if filepath.suffix == ".keras":
        return list(_read_keras3(filepath))
    return list(_read_tflite(filepath) if filepath.suffix == ".tflite" else _read_onnx(filepath))


def _read_tflite(filepath: Path) -> Iterator[Constant]:
    model, kinds = _open_tflite(filepath)
    for graph in model.subgraphs:
        for operation in graph.operators:
            users = list(_users(graph, operation, kinds))
            given = [graph.tensors[index].name for one in users for index in one.outputs]
            channels = 3 if any(kinds[one.opcodeIndex] == "DEPTHWISE_CONV_2D" for one in users) else 0
            for tensor in (graph.tensors[index] for index in operation.inputs if index >= 0):
                data = model.buffers[tensor.buffer].data
                values = np.frombuffer(bytes(() if data is None else data), _TFLITE_DTYPES.get(tensor.type, np.uint8))
                if data is not None and values.size == np.prod(tensor.shape):
                    names = tuple(map(_without_model, [tensor.name, *given]))
                    yield Constant(names, values.reshape(tensor.shape), channels)


def _users(graph: Any, operation: Any, kinds: list[str]) -> Iterator[Any]:
    """An operation, and those that take what it gives as long as that is the same values: of float16, say."""
    yield operation
    if kinds[operation.opcodeIndex] in ("DEQUANTIZE", "QUANTIZE", "RESHAPE", "TRANSPOSE"):
        for taker in graph.operators:
            if any(index in operation.outputs for index in taker.inputs):
                yield from _users(graph, taker, kinds)


_TFLITE_DTYPES: dict[int, Any] = {0: np.float32, 1: np.float16, 2: np.int32, 4: np.int64, 9: np.int8}
"""By the numbers of `TensorType` in TensorFlow Lite's schema."""


def read_operations(filepath: Path) -> list[tuple[str, str]]:
    """The operations of a file that was just written here: what each is, and what it gives is called.

    Args:
        filepath: A .tflite or .onnx file.
    """
    if filepath.suffix == ".onnx":
        import onnx

        graph = onnx.load(str(filepath)).graph
        return [(one.op_type.upper(), ";".join(map(_without_model, one.output))) for one in graph.node]
    model, kinds = _open_tflite(filepath)
    return [
        (kinds[one.opcodeIndex], ";".join(_without_model(graph.tensors[index].name) for index in one.outputs))
        for graph in model.subgraphs
        for one in graph.operators
    ]


def _open_tflite(filepath: Path) -> tuple[Any, list[str]]:
    """The file, and what the operation of each code is."""
    from ai_edge_litert import schema_py_generated as schema

    kinds = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    model = schema.ModelT.InitFromPackedBuf(filepath.read_bytes(), 0)
    codes = (max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes)
    return model, [kinds.get(code, "?") for code in codes]


def _read_onnx(filepath: Path) -> Iterator[Constant]:
    import onnx

    graph = onnx.load(str(filepath)).graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        users = list(_onnx_users(graph, node))
        for name in node.input:
            if name in stored:
                values = onnx.numpy_helper.to_array(stored[name])
                is_turned = any(one.name == "transB" and one.i for user in users for one in user.attribute)
                channels = 0 if is_turned else _ONNX_CHANNELS.get(users[-1].op_type, -1)
                names = [name, *(text for user in users for text in (user.name, *user.output))]
                yield Constant(tuple(map(_without_model, names)), values, channels)


def _onnx_users(graph: Any, node: Any) -> Iterator[Any]:
    """An operation, and those that take what it gives where that is the same values."""
    yield node
    if node.op_type == "DequantizeLinear":
        for taker in graph.node:
            if node.output[0] in taker.input:
                yield taker


_ONNX_CHANNELS = {"Conv": 0, "ConvTranspose": 1}
"""The axis of output channels of a kernel; of a matrix it is the last."""


def _read_keras3(filepath: Path) -> Iterator[Constant]:
    from trainkit.inference.keras3 import read_keras3

    for layer in read_keras3(filepath).layers:
        for weight in layer.weights:
            yield Constant((f"{layer.name}/{weight.name}",), weight.numpy(), None)


def _read_saved_model(directory: Path) -> Iterator[Constant]:
    from trainkit.framework import tf

    loaded = tf.saved_model.load(str(directory))  # its functions do not keep their variables alive
    for variable in loaded.signatures[SIGNATURE].variables:
        if variable.dtype.is_floating:
            yield Constant((variable.name,), variable.numpy(), None)

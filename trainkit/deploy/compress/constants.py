"""The constant tensors of an exported file, and the operations that use them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.inference.saved_model import SIGNATURE
from trainkit.inference.tflite_graph import GraphOperation, TFLiteGraph


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


def _without_model(name: str) -> str:
    """A tensor's name without that of the model, which a layer may have, too: `net/conv/BiasAdd` is `conv/BiasAdd`."""
    return ";".join(whole.partition("/")[2] or whole for whole in name.split(";"))


def open_file(filepath: Path) -> Path | TFLiteGraph:
    """A file for what follows; a .tflite is read once for all of it.

    Args:
        filepath: As `read_constants` takes it.
    """
    return TFLiteGraph(filepath.read_bytes()) if filepath.suffix == ".tflite" else filepath


def read_constants(file: Path | TFLiteGraph) -> list[Constant]:
    """The constant tensors that operations of a file use.

    Args:
        file: A .tflite, .onnx or .tkz file, a .keras file of Keras 3 or the directory of a SavedModel, written here: it
            is read in this process, unless `open_file` has done that.
    """
    opened = open_file(file) if isinstance(file, Path) else file
    if isinstance(opened, TFLiteGraph):
        return list(_read_tflite(opened))
    if opened.suffix == ".tkz":
        return list(_read_tkz(opened))
    if opened.is_dir():
        return list(_read_saved_model(opened))
    return list(_read_keras3(opened) if opened.suffix == ".keras" else _read_onnx(opened))


def _read_tflite(graph: TFLiteGraph) -> Iterator[Constant]:
    for operation in graph.operations:
        users = list(_users(graph, operation))
        given = [graph.tensor(index, one.subgraph).name for one in users for index in one.outputs]
        channels = 3 if any(one.kind == "DEPTHWISE_CONV_2D" for one in users) else 0
        for index in operation.inputs:
            if (values := graph.values(index, operation.subgraph)) is not None:
                names = [graph.tensor(index, operation.subgraph).name, *given]
                yield Constant(tuple(map(_without_model, names)), values, channels)


def _users(graph: TFLiteGraph, operation: GraphOperation) -> Iterator[GraphOperation]:
    """An operation, and those that take what it gives as long as that is the same values: of float16, say."""
    yield operation
    if operation.kind in ("DEQUANTIZE", "QUANTIZE", "RESHAPE", "TRANSPOSE"):
        for taker in graph.operations:
            if taker.subgraph == operation.subgraph and not set(taker.inputs).isdisjoint(operation.outputs):
                yield from _users(graph, taker)


def operation_names(file: Path | TFLiteGraph) -> list[tuple[str, str]]:
    """The operations of a file that was just written here: what each is, and what it gives is called.

    Args:
        file: A .tflite or .onnx file.
    """
    opened = open_file(file) if isinstance(file, Path) else file
    if isinstance(opened, TFLiteGraph):
        return [(one.kind, _given_names(opened, one)) for one in opened.operations]
    import onnx

    graph = onnx.load(str(opened)).graph
    return [(one.op_type.upper(), ";".join(map(_without_model, one.output))) for one in graph.node]


def _given_names(graph: TFLiteGraph, operation: GraphOperation) -> str:
    return ";".join(_without_model(graph.tensor(index, operation.subgraph).name) for index in operation.outputs)


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


def _read_tkz(filepath: Path) -> Iterator[Constant]:
    from trainkit.inference.tkz import read_tkz

    for layer in read_tkz(filepath).layers:
        for weight in layer.weights:
            yield Constant((f"{layer.name}/{weight.name}",), weight.numpy(), None)


def _read_saved_model(directory: Path) -> Iterator[Constant]:
    from trainkit.framework import tf

    loaded = tf.saved_model.load(str(directory))  # its functions do not keep their variables alive
    for variable in loaded.signatures[SIGNATURE].variables:
        if variable.dtype.is_floating:
            yield Constant((variable.name,), variable.numpy(), None)

"""What an ONNX file computes with: integers, or real numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

_WEIGHED = ("Conv", "ConvTranspose", "Einsum", "Gather", "Gemm", "GRU", "LSTM", "MatMul", "RNN")
"""Operations that take trained weights of two axes and more."""
_EDGES = ("QuantizeLinear", "DequantizeLinear")


def look_inside(filepath: Path) -> dict[str, list[str]]:
    """The facts that tell what a file really is.

    Args:
        filepath: A .onnx file.

    Returns:
        `dtypes` of its constants; `float_kernels`, the operations with weights that compute with real numbers; and
        `float_operations`, all that do, each with its layer: `Mul of layer 'rescaling1'`. An operation between
        DequantizeLinear and QuantizeLinear computes with integers: ONNX Runtime makes one of all three.
    """
    import onnx

    graph = onnx.load(str(filepath), load_external_data=False).graph
    nodes = list(_nodes(graph))
    stored = {tensor.name: tensor for inner in (graph, *_inner(nodes)) for tensor in inner.initializer}
    names = {number: name.lower() for name, number in onnx.TensorProto.DataType.items()}
    names |= {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.DOUBLE: "float64"}
    makers = {name: node.op_type for node in nodes for name in node.output}
    takers: dict[str, list[str]] = {}
    for node in nodes:
        for name in node.input:
            takers.setdefault(name, []).append(node.op_type)
    real = [node for node in nodes if _is_real(node, stored, makers, takers)]
    kernels = {name for name, tensor in stored.items() if len(tensor.dims) > 1}
    kernels |= {node.output[0] for node in nodes if node.op_type == "DequantizeLinear" and node.input[0] in kernels}
    weighed = [node for node in real if node.op_type in _WEIGHED and _has_weights(node, kernels)]
    return {
        "dtypes": sorted({names[tensor.data_type] for tensor in stored.values()}),
        "float_kernels": list(map(_told, weighed)),
        "float_operations": list(map(_told, real)),
    }


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for inner in _inner([node]):
            yield from _nodes(inner)


def _inner(nodes: list[Any]) -> Iterator[Any]:
    """The graphs of loops and branches."""
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield attribute.g


def _is_real(node: Any, stored: Any, makers: dict[str, str], takers: dict[str, list[str]]) -> bool:
    """Whether an operation computes with real numbers that are not those of integers."""
    if node.op_type in (*_EDGES, "Constant", "Cast", "Shape") or node.domain == "ai.onnx.ml":
        return False
    given = [name for name in node.input if name]
    is_between = all(makers.get(name) == "DequantizeLinear" or _is_whole(stored.get(name)) for name in given)
    followers = [kind for name in node.output for kind in takers.get(name, [])]
    return not (is_between and followers and all(kind == "QuantizeLinear" for kind in followers))


def _is_whole(tensor: Any) -> bool:
    from onnx import TensorProto

    return tensor is not None and tensor.data_type in (TensorProto.INT32, TensorProto.INT64)


def _has_weights(node: Any, kernels: set[str]) -> bool:
    return any(name in kernels for name in node.input)


def _told(node: Any) -> str:
    parts = (node.name or node.output[0]).split("/")
    return f"{node.op_type} of {'layer ' if len(parts) > 2 else ''}{'/'.join(parts[1:-1] or parts[-1:])!r}"

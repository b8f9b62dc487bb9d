"""An ONNX model with weights and activations of 8 bits, as pairs of QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from trainkit.deploy.export.onnx_graph import preparing_nodes, rename_tensors
from trainkit.inference.temporary import temporary_folder

_OFFSET = 128
"""Between uint8, which a rounding of training is written as, and int8."""
_HALVES = ("QuantizeLinear", "DequantizeLinear")
"""What a rounding is written as."""
_MOVES = ("Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
"""Operations that give the numbers that they take."""
_POOLS = ("AveragePool", "MaxPool")
"""Operations that give nothing beyond the numbers that they take."""
_Ranges = dict[str, tuple[np.ndarray, np.ndarray]]


def to_int8(proto: Any, samples: Iterable[Mapping[str, np.ndarray]]) -> Any:
    """Quantize a model: kernels a channel, activations as wide as samples make them.

    Where the model rounds by itself, as after `Quantize`, the ranges are those that it has trained with. What prepares
    the inputs for the first layer with weights stays in float32.

    Args:
        proto: An ONNX model; it may be changed.
        samples: What the ranges of activations are taken from, one sample a batch.

    Returns:
        The model of 8 bits.

    Raises:
        DiskFullError: If temporary files cannot be written.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ranges = _take_ranges(proto.graph)
    with temporary_folder() as folder:
        whole, prepared, quantized = (folder / f"{what}.onnx" for what in ("whole", "prepared", "quantized"))
        onnx.save(proto, whole)
        quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        graph = onnx.load(prepared).graph
        quantize_static(
            prepared,
            quantized,
            _Reader(samples),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=sorted({*QDQRegistry, *QLinearOpsRegistry}),
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[node.name for node in preparing_nodes(graph)],
            extra_options={"TensorQuantOverrides": _overrides(graph, ranges)},
        )
        return onnx.load(quantized)


class _Reader:
    """Samples as ONNX Runtime's calibration asks for them."""

    def __init__(self, samples: Iterable[Mapping[str, np.ndarray]]) -> None:
        self._samples: Iterator[Mapping[str, np.ndarray]] = iter(samples)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next one, or None after the last."""
        sample = next(self._samples, None)
        return None if sample is None else dict(sample)


def _take_ranges(graph: Any) -> _Ranges:
    """Take roundings out of a graph: scale and zero point, int8, by the tensor that was rounded.

    The two halves of a rounding need not be neighbours: tf2onnx puts its changes of layout between them. Of a tensor
    that is rounded twice, the first rounding counts.
    """
    from onnx import numpy_helper

    stored = {tensor.name: tensor for tensor in graph.initializer}
    halves = [node for node in graph.node if node.op_type in _HALVES and node.input[0] not in stored]
    ranges: _Ranges = {}
    renamed: dict[str, str] = {}
    for node in halves:  # in the order of their computation, so that what is taken from has its last name
        tensor = renamed.get(node.input[0], node.input[0])
        renamed[node.output[0]] = tensor
        if node.op_type == "QuantizeLinear" and tensor not in ranges:
            scale, zero = (numpy_helper.to_array(stored[name]) for name in node.input[1:3])
            ranges[tensor] = np.array(scale, np.float32), np.array(zero.astype(np.int16) - _OFFSET, np.int8)
    for node in halves:
        graph.node.remove(node)
    rename_tensors(graph, renamed)
    given = _name_outputs(graph, renamed)
    return _carry(graph, {given.get(name, name): ends for name, ends in ranges.items()})


def _carry(graph: Any, ranges: _Ranges) -> _Ranges:
    """Ranges also of tensors that hold the same numbers: ONNX Runtime may round these in place of the one rounded."""
    carried = dict(ranges)
    for node in reversed(graph.node):
        if node.op_type in _MOVES and node.output[0] in carried:
            carried.setdefault(node.input[0], carried[node.output[0]])
    for node in graph.node:
        if node.op_type in (*_MOVES, *_POOLS) and node.input[0] in carried:
            carried.setdefault(node.output[0], carried[node.input[0]])
    return carried


def _name_outputs(graph: Any, renamed: Mapping[str, str]) -> dict[str, str]:
    """Give tensors that now are outputs the names of these; returns the new names by the old ones."""
    given = {renamed[value.name]: value.name for value in graph.output if value.name in renamed}
    rename_tensors(graph, given)
    for node in graph.node:
        node.output[:] = [given.get(name, name) for name in node.output]
    return given


def _overrides(graph: Any, ranges: _Ranges) -> dict[str, list[dict[str, Any]]]:
    """The ranges as ONNX Runtime takes them, of tensors that are still there after its optimizations."""
    there = {value.name for value in (*graph.input, *graph.output, *graph.value_info)}
    return {name: [{"scale": scale, "zero_point": zero}] for name, (scale, zero) in ranges.items() if name in there}

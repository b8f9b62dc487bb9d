"""An ONNX model with weights and activations of 8 bits, as pairs of QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.deploy.export.onnx_graph import preparing_nodes, rename_tensors

_OFFSET = 128
"""Between uint8, which a rounding of training is written as, and int8."""


def to_int8(proto: Any, samples: Iterable[Mapping[str, np.ndarray]]) -> Any:
    """Quantize a model: kernels a channel, activations as wide as samples make them.

    Where the model rounds by itself, as after `Quantize`, the ranges are those that it has trained with. What prepares
    the inputs for the first layer with weights stays in float32.

    Args:
        proto: An ONNX model; it may be changed.
        samples: What the ranges of activations are taken from, one sample a batch.

    Returns:
        The model of 8 bits.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ranges = _take_ranges(proto.graph)
    with tempfile.TemporaryDirectory(prefix="trainkit-") as name:
        whole, prepared, quantized = (Path(name) / f"{what}.onnx" for what in ("whole", "prepared", "quantized"))
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


def _take_ranges(graph: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Take roundings out of a graph: scale and zero point, int8, by the tensor that was rounded."""
    from onnx import numpy_helper

    stored = {tensor.name: tensor for tensor in graph.initializer}
    rounding = {node.output[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    between = _moved(graph, rounding)
    back = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in between]
    ranges, renamed = {}, {}
    for output, node in rounding.items():
        scale, zero = (numpy_helper.to_array(stored[name]) for name in node.input[1:3])
        renamed[output] = node.input[0]
        ranges[node.input[0]] = np.array(scale, np.float32), np.array(zero.astype(np.int16) - _OFFSET, np.int8)
    renamed |= {node.output[0]: renamed.get(node.input[0], node.input[0]) for node in back}
    for value in [value for value in graph.value_info if value.name in between]:
        graph.value_info.remove(value)  # it is of real numbers now
    for node in [*back, *rounding.values()]:
        graph.node.remove(node)
    rename_tensors(graph, renamed)
    outputs = {value.name for value in graph.output}
    given = {tensor: output for output, tensor in renamed.items() if output in outputs}
    rename_tensors(graph, given)
    for node in graph.node:
        node.output[:] = [given.get(name, name) for name in node.output]
    return {given.get(name, name): ends for name, ends in ranges.items()}


def _moved(graph: Any, rounding: Collection[str]) -> set[str]:
    """Tensors of integers: what was rounded, and what moving values makes of it, as a Transpose before Flatten."""
    moved = {*rounding}
    for node in graph.node:
        if node.op_type != "DequantizeLinear" and node.input and node.input[0] in moved:
            moved |= {*node.output}
    return moved


def _overrides(graph: Any, ranges: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, list[dict[str, Any]]]:
    """The ranges as ONNX Runtime takes them, of tensors that are still there after its optimizations."""
    there = {value.name for value in (*graph.input, *graph.output, *graph.value_info)}
    return {name: [{"scale": scale, "zero_point": zero}] for name, (scale, zero) in ranges.items() if name in there}

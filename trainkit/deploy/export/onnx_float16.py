"""An ONNX model with weights and activations of 16 bits."""

from __future__ import annotations

from typing import Any

from trainkit.deploy.export.onnx_graph import preparing_nodes, rename_tensors


def to_float16(proto: Any) -> Any:
    """Convert what lies between the first layer with weights and the outputs.

    Inputs and outputs stay float32, and so does what prepares the inputs: 16 bits have 11 of precision, and end at
    65,504; an app's numbers may be larger, or further apart.

    Args:
        proto: An ONNX model; it may be changed.

    Returns:
        The model of 16 bits.
    """
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    names = [node.name for node in preparing_nodes(proto.graph)]
    converted = convert_float_to_float16(proto, keep_io_types=True, node_block_list=names)
    _spare_ways_back(converted.graph)
    OnnxModel.graph_topological_sort(converted.graph, is_deterministic=True)
    return converted


def _spare_ways_back(graph: Any) -> None:
    """Take out each way from 32 bits through 16 and back, which the converter makes between nodes of 32 bits.

    Where several take the same tensor, it makes the same way for each.
    """
    from onnx import TensorProto

    casts = {node.output[0]: node for node in graph.node if node.op_type == "Cast"}
    outputs = {value.name for value in graph.output}
    down = {name: node.input[0] for name, node in casts.items() if node.attribute[0].i == TensorProto.FLOAT16}
    back = {
        name: down[node.input[0]]
        for name, node in casts.items()
        if node.attribute[0].i == TensorProto.FLOAT and node.input[0] in down and name not in outputs
    }
    rename_tensors(graph, back)
    used = outputs | {name for node in graph.node if node.output[0] not in back for name in node.input}
    kept = [node for node in graph.node if node.op_type != "Cast" or casts[node.output[0]] is node]
    kept = [node for node in kept if node.op_type != "Cast" or node.output[0] in used]
    settled = [type(node).FromString(node.SerializeToString()) for node in kept]
    del graph.node[:]
    graph.node.extend(settled)

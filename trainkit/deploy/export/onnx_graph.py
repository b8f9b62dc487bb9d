"""What stands where in an ONNX graph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trainkit.errors import ExportError

_LOOPS = ("If", "Loop", "Scan")
_RECURRENT = ("GRU", "LSTM", "RNN")
_COUNTED = re.compile(r"__\d+(?=$|:)")
"""How tf2onnx ends the names that it makes."""

_PREPARES = {
    *("Add", "And", "Cast", "Clip", "Concat", "Div", "Equal", "Expand", "Flatten", "Greater", "Identity", "IsNaN"),
    *("Less", "Max", "Min", "Mul", "Neg", "Not", "Or", "Pad", "Pow", "ReduceSum", "Reshape", "Resize"),
    *("Shape", "Slice", "Sqrt", "Squeeze", "Sub", "Tile", "Transpose", "Unsqueeze", "Where"),
}
"""Operations without trained weights, of which preprocessing is made."""


def check_loops(graph: Any, precision: str) -> None:
    """Refuse what cannot be made smaller: loops, and for integers recurrent operations.

    Args:
        graph: An ONNX graph of real numbers.
        precision: `float16` or `int8`.

    Raises:
        ExportError: If there is one.
    """
    kinds = _LOOPS if precision == "float16" else (*_LOOPS, *_RECURRENT)
    for node in graph.node:
        if node.op_type in kinds:
            layer = node.name.partition("/")[2].removesuffix("/PartitionedCall") or node.name
            cure = "Use `precision: float32`" + (", or float16" if node.op_type in _RECURRENT else "")
            what = "a loop, as of a recurrent layer with a mask" if node.op_type in _LOOPS else f"the {node.op_type}"
            raise ExportError(f"`{layer}` cannot be {precision} in ONNX: nothing quantizes {what}. {cure}.")


def preparing_nodes(graph: Any) -> list[Any]:
    """The nodes that prepare inputs for the first layer with weights: what they take comes from inputs alone.

    Args:
        graph: An ONNX graph, its nodes in the order of their computation.
    """
    prepared = {value.name for value in graph.input}
    known = {tensor.name for tensor in graph.initializer}
    found = []
    for node in graph.node:
        given = [name for name in node.input if name and name not in known]
        if node.op_type == "Constant":
            known |= set(node.output)
        elif node.op_type in _PREPARES and given and all(name in prepared for name in given):
            prepared |= set(node.output)
            found.append(node)
    return found


def rename_tensors(graph: Any, names: Mapping[str, str]) -> None:
    """Let nodes take other tensors.

    Args:
        graph: An ONNX graph; it is changed.
        names: The new name by the old one.
    """
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = names.get(name, name)


def settle_constants(graph: Any) -> None:
    """Name and order constants by what uses them first.

    Of equal ones tf2onnx keeps any, and counts on: the same network would be another file each time.

    Args:
        graph: An ONNX graph; it is changed.
    """
    if any(attribute.HasField("g") for node in graph.node for attribute in node.attribute):
        return  # a loop may use them inside
    _count_anew(graph)
    stored = {tensor.name: tensor for tensor in graph.initializer}
    names: dict[str, str] = {}
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name in stored and name not in names:
                is_any = _COUNTED.search(name) or not stored[name].dims
                names[name] = f"{node.name}/constant{index}" if is_any else name
    rename_tensors(graph, names)
    ordered = [stored[name] for name in (*names, *sorted(stored.keys() - names.keys()))]
    settled = []
    for tensor in ordered:
        settled.append(type(tensor)())
        settled[-1].CopyFrom(tensor)
        settled[-1].name = names.get(tensor.name, tensor.name)
    del graph.initializer[:]
    graph.initializer.extend(settled)


def _count_anew(graph: Any) -> None:
    """Number the names that tf2onnx has numbered by their order in the graph."""
    edges = {value.name for value in (*graph.input, *graph.output)}
    numbers: dict[str, int] = {}

    def settled(name: str) -> str:
        if name in edges:
            return name
        return _COUNTED.sub(lambda found: f"__{numbers.setdefault(found[0], len(numbers) + 1)}", name)

    renamed = {name: settled(name) for node in graph.node for name in node.output}
    rename_tensors(graph, renamed)
    for node in graph.node:
        node.name = settled(node.name)
        node.output[:] = [renamed[name] for name in node.output]
    for value in graph.value_info:
        value.name = renamed.get(value.name, value.name)

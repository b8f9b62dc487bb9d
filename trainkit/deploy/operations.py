"""The operations of a .tflite, as they stand in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ai_edge_litert import schema_py_generated as schema

_NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
_TYPES = {number: name.lower() for name, number in vars(schema.TensorType).items() if not name.startswith("_")}


@dataclass(frozen=True)
class Tensor:
    """What an operation takes or gives.

    Args:
        name: As the converter writes it: `network/layer/Operation`, joined by `;` where several were fused.
        shape: Its sizes; 1 where the file leaves one open.
        dtype: Of its values.
        is_constant: Whether its values stand in the file.
        scale: The step between two of its integers; None for real numbers, and where every channel has another.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    is_constant: bool
    scale: float | None = None


@dataclass(frozen=True)
class Operation:
    """A step of a file.

    Args:
        name: Of TensorFlow Lite's own operation, or the custom one.
        inputs: What it takes; what is left out of them is not there.
        outputs: What it gives.
        layer: The layer of Keras that it is of, as far as the file tells.
        subgraph: 0, or the number of the body of a loop that it stands in.
        is_custom: Whether it is none of TensorFlow Lite's own.
        options: Its arguments, as the schema has them.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    layer: str = ""
    subgraph: int = 0
    is_custom: bool = False
    options: Any = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.name} of {self.layer}" if self.layer else self.name


def read_operations(content: bytes) -> list[Operation]:
    """List the operations of a .tflite in the order in which they are computed.

    Args:
        content: A file that was just written: of a stranger's, the interpreter in a child process tells.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    named = {
        (signature.subgraphIndex, entry.tensorIndex): entry.name.decode()
        for signature in model.signatureDefs or ()
        for entry in signature.outputs
    }
    return [
        _operation(model, number, operator, {index: name for (place, index), name in named.items() if place == number})
        for number, graph in enumerate(model.subgraphs)
        for operator in graph.operators
    ]


def _operation(model: Any, subgraph: int, operator: Any, named: Mapping[int, str]) -> Operation:
    graph = model.subgraphs[subgraph]
    code = model.operatorCodes[operator.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)  # the old field ends at 127
    is_custom = number == schema.BuiltinOperator.CUSTOM
    inputs, outputs = (
        tuple(_tensor(model, graph.tensors[index]) for index in indices if index >= 0)
        for indices in (operator.inputs, operator.outputs)
    )
    layers = [named.get(int(index)) or _layer_of(graph.tensors[index].name.decode()) for index in operator.outputs]
    return Operation(
        name=code.customCode.decode() if is_custom else _NAMES[number],
        inputs=inputs,
        outputs=outputs,
        layer=next(filter(None, layers), ""),
        subgraph=subgraph,
        is_custom=is_custom,
        options=operator.builtinOptions,
    )


def _tensor(model: Any, tensor: Any) -> Tensor:
    shape = () if tensor.shape is None else tuple(int(size) for size in tensor.shape)
    scales = None if tensor.quantization is None else tensor.quantization.scale
    scale = float(scales[0]) if scales is not None and len(scales) == 1 else None
    is_constant = model.buffers[tensor.buffer].data is not None
    return Tensor(tensor.name.decode(), shape, _TYPES[tensor.type], is_constant, scale)


def _layer_of(name: str) -> str:
    """The layer that a tensor comes from; what the converter has put in by itself is of none."""
    parts = name.split(";")[0].split("/")
    return parts[1] if len(parts) > 2 else ""

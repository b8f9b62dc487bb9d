"""A .tflite file, taken apart: the one place that knows how its schema is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_IDENTIFIER = b"TFL3"
_KINDS = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
_TYPES = {number: name.lower() for name, number in vars(schema.TensorType).items() if isinstance(number, int)}


@dataclass(frozen=True)
class Tensor:
    """What an operation takes or gives.

    Args:
        name: As the converter writes it: `network/layer/Operation`, joined by `;` where several were fused.
        shape: Its sizes; 1 where the file leaves one open.
        dtype: Of its values.
        is_constant: Whether its values stand in the file.
        scale: The step between two of its integers; None for real numbers, and where every channel has another.
        ends: The least and the largest value that calibration has seen; None where none was done.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    is_constant: bool
    scale: float | None = None
    ends: tuple[float, float] | None = None


@dataclass(frozen=True)
class GraphOperation:
    """A step of a file.

    Args:
        kind: `CONV_2D`; of one that is not built in, the name that it goes by.
        inputs: The tensors that it takes, by number; constants too, and none that is left out.
        outputs: The tensors that it gives.
        subgraph: 0, or the number of the body of a loop that it stands in.
        is_custom: Whether it is none of TensorFlow Lite's own.
        options: Its arguments, as the schema has them.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    subgraph: int = 0
    is_custom: bool = False
    options: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Signature:
    """What an app calls.

    Args:
        subgraph: The graph that it runs.
        inputs: Names by number of the tensor.
        outputs: Names by number of the tensor.
    """

    subgraph: int
    inputs: dict[int, str]
    outputs: dict[int, str]


class TFLiteGraph:
    """The content of a .tflite that was made here: of a stranger's, the interpreter in a child process tells.

    Args:
        content: Its bytes; what stands behind the graph is not looked at.

    Attributes:
        model: As the schema has it. What is changed there goes into `values` and `pack`, but into nothing else.
    """

    def __init__(self, content: bytes) -> None:
        self.model = schema.ModelT.InitFromPackedBuf(content, 0)

    @cached_property
    def operations(self) -> list[GraphOperation]:
        """Those of all graphs, each in the order in which they are computed."""
        graphs = enumerate(self.model.subgraphs)
        return [self._operation(number, operator) for number, graph in graphs for operator in graph.operators]

    @cached_property
    def tensors(self) -> list[list[Tensor]]:
        """Those of each graph, by number."""
        return [[self._tensor(tensor) for tensor in graph.tensors] for graph in self.model.subgraphs]

    def tensor(self, index: int, subgraph: int = 0) -> Tensor:
        """A tensor of a graph."""
        return self.tensors[subgraph][index]

    def values(self, index: int, subgraph: int = 0) -> np.ndarray | None:
        """The values of a constant; None of what is computed, and of types that NumPy does not have."""
        raw, tensor = self._raw(index, subgraph), self.tensor(index, subgraph)
        data = self.model.buffers[raw.buffer].data
        if data is None or not _is_numeric(tensor.dtype):
            return None
        values = np.frombuffer(bytes(data), np.dtype(tensor.dtype))
        return values.reshape(tensor.shape) if values.size == np.prod(tensor.shape) else None

    def set_values(self, values: np.ndarray, index: int, subgraph: int = 0) -> None:
        """Let a constant, and all that share it, have other values of the same type."""
        buffer = self.model.buffers[self._raw(index, subgraph).buffer]
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)

    @cached_property
    def signatures(self) -> list[Signature]:
        """All of them."""
        return [
            Signature(
                one.subgraphIndex,
                {int(entry.tensorIndex): entry.name.decode() for entry in one.inputs},
                {int(entry.tensorIndex): entry.name.decode() for entry in one.outputs},
            )
            for one in self.model.signatureDefs or ()
        ]

    @property
    def signature(self) -> Signature:
        """The only one that files which are made here have."""
        (signature,) = self.signatures
        return signature

    def weights(self) -> dict[str, int]:
        """Bytes of the constants by dtype; those that several tensors share count once."""
        types: dict[int, str] = {}
        for graph in self.model.subgraphs:
            for tensor in graph.tensors:
                types.setdefault(tensor.buffer, _type_of(tensor))
        sizes: Counter[str] = Counter()
        for number, dtype in types.items():
            data = self.model.buffers[number].data
            sizes[dtype] += 0 if data is None else len(data)
        return {dtype: size for dtype, size in sizes.items() if size}

    def pack(self) -> bytes:
        """The content of a file again, with what was changed in `model`."""
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), file_identifier=_IDENTIFIER)
        return bytes(builder.Output())

    def _raw(self, index: int, subgraph: int) -> Any:
        return self.model.subgraphs[subgraph].tensors[index]

    def _operation(self, subgraph: int, operator: Any) -> GraphOperation:
        code = self.model.operatorCodes[operator.opcodeIndex]
        number = max(code.builtinCode, code.deprecatedBuiltinCode)  # the old field ends at 127
        is_custom = number == schema.BuiltinOperator.CUSTOM
        kind = code.customCode.decode() if is_custom else _KINDS.get(number, str(number))
        inputs, outputs = (tuple(int(i) for i in side if i >= 0) for side in (operator.inputs, operator.outputs))
        return GraphOperation(kind, inputs, outputs, subgraph, is_custom, operator.builtinOptions)

    def _tensor(self, tensor: Any) -> Tensor:
        shape = () if tensor.shape is None else tuple(int(size) for size in tensor.shape)
        is_constant = self.model.buffers[tensor.buffer].data is not None
        name = tensor.name.decode(errors="replace")
        return Tensor(name, shape, _type_of(tensor), is_constant, *_quantization(tensor.quantization))


def _quantization(found: Any) -> tuple[float | None, tuple[float, float] | None]:
    """The scale of all values, and the range."""
    if found is None:
        return None, None
    scale = float(found.scale[0]) if found.scale is not None and len(found.scale) == 1 else None
    has_ends = found.min is not None and found.max is not None and len(found.min) > 0
    return scale, (float(found.min[0]), float(found.max[0])) if has_ends else None


def _type_of(tensor: Any) -> str:
    return _TYPES.get(tensor.type, str(tensor.type))


def _is_numeric(dtype: str) -> bool:
    try:
        return np.dtype(dtype).kind in "biufc"
    except TypeError:
        return False

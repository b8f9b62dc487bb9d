"""The operations of a .tflite file, each with the layers of the Keras model that it computes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ai_edge_litert import schema_py_generated as schema

from trainkit.deploy.export.layer_graph import LayerGraph

CASTS = ("QUANTIZE", "DEQUANTIZE")
_CHECKS = ("NumericVerify",)
_KINDS = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
_FLOATS = (schema.TensorType.FLOAT32, schema.TensorType.FLOAT16)
_INTEGERS = (schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT16)

Arithmetic = Literal["float", "integer", "neither"]


@dataclass(frozen=True)
class Operation:
    """An operation of a .tflite file.

    Args:
        kind: `CONV_2D`; of one that is not built in, the name that it goes by.
        name: That of what it gives; by it the converter knows the operation.
        inputs: The tensors that it takes, by number; constants too.
        outputs: The tensors that it gives.
        arithmetic: Whether it computes with real numbers; `neither` are operations on shapes.
        layers: The Keras layers that it computes, the last one first; none for what only changes the type.
    """

    kind: str
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    arithmetic: Arithmetic
    layers: tuple[str, ...] = ()


class OperationsFile:
    """A .tflite file that was just written here, taken apart.

    Args:
        content: Its bytes.
        graph: The layers of the model that it was made from.
    """

    def __init__(self, content: bytes, graph: LayerGraph) -> None:
        self.model = schema.ModelT.InitFromPackedBuf(content, 0)
        (signature,) = self.model.signatureDefs
        self.subgraph = self.model.subgraphs[signature.subgraphIndex]
        self._graph = graph
        self._outputs = {entry.tensorIndex: entry.name.decode() for entry in signature.outputs}
        self._inputs = {entry.tensorIndex: entry.name.decode() for entry in signature.inputs}
        bare = [self._bare(operator) for operator in self.subgraph.operators]
        self._makers = {index: place for place, one in enumerate(bare) for index in one.outputs}
        self.operations = self._with_layers(bare)

    @property
    def computing(self) -> list[Operation]:
        """The operations that compute something of a layer."""
        return [one for one in self.operations if one.layers]

    def tensor(self, index: int) -> Any:
        """A tensor of the graph."""
        return self.subgraph.tensors[index]

    def is_constant(self, index: int) -> bool:
        """Whether a tensor is held by the file."""
        return self.model.buffers[self.tensor(index).buffer].data is not None

    def input_names(self) -> dict[int, str]:
        """The inputs of the signature, by number of the tensor."""
        return dict(self._inputs)

    def _bare(self, operator: Any) -> Operation:
        code = self.model.operatorCodes[operator.opcodeIndex]
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        is_custom = number == schema.BuiltinOperator.CUSTOM
        kind = code.customCode.decode() if is_custom else _KINDS.get(number, str(number))
        inputs, outputs = (tuple(int(i) for i in side if i >= 0) for side in (operator.inputs, operator.outputs))
        types = {self.tensor(index).type for index in (*inputs, *outputs)}
        arithmetic: Arithmetic = "neither"
        if kind not in (*CASTS, *_CHECKS):
            is_float = any(one in _FLOATS for one in types)
            arithmetic = "float" if is_float else "integer" if any(one in _INTEGERS for one in types) else "neither"
        return Operation(kind, self._name(outputs[0]) if outputs else "", inputs, outputs, arithmetic)

    def _name(self, index: int) -> str:
        return self.tensor(index).name.decode(errors="replace")

    def _with_layers(self, bare: Sequence[Operation]) -> list[Operation]:
        named = [[] if one.kind in (*CASTS, *_CHECKS) else self._named(one) for one in bare]
        for place, one in enumerate(bare):  # in the order of the file: what an operation takes from comes before it
            if not named[place] and one.kind not in (*CASTS, *_CHECKS):
                named[place] = self._nearest(one, named)
        everywhere = {name for names in named for name in names}
        chains = [self._chain(names, everywhere) for names in named]
        chains = self._with_folded(chains, everywhere)
        return [
            Operation(one.kind, one.name, one.inputs, one.outputs, one.arithmetic, tuple(chain))
            for one, chain in zip(bare, chains, strict=True)
        ]

    def _named(self, operation: Operation) -> list[str]:
        """The layers that an operation is named after; of one that gives an output, the layer of that output."""
        if found := list(self._layers_in(operation.name)):
            return found
        if output := self._output_of(operation.outputs):
            return [self._graph.outputs[output]]
        constants = (self._name(index) for index in operation.inputs if self.is_constant(index))
        return [layer for name in constants for layer in self._layers_in(name)]

    def _layers_in(self, name: str) -> Iterator[str]:
        """Names are `model/layer/Operation`, joined by `;` where several were fused."""
        for whole in name.split(";"):
            _, *parts = whole.split("/")
            ways = ("/".join(parts[:end]) for end in range(len(parts), 0, -1))  # a layer may be called `block/conv`
            if (layer := next((way for way in ways if way in self._graph.classes), None)) is not None:
                yield layer

    def _output_of(self, outputs: Iterable[int]) -> str | None:
        """The output of the file that some tensors become, by changes of type alone."""
        for index in outputs:
            if index in self._outputs:
                return self._outputs[index]
            for operator in self.subgraph.operators:
                is_cast = index in operator.inputs and self._bare(operator).kind in CASTS
                if is_cast and (found := self._output_of(operator.outputs)):
                    return found
        return None

    def _nearest(self, operation: Operation, named: Sequence[list[str]]) -> list[str]:
        """What the operations are named after that one without a name takes from: it was put in behind them."""
        for place in (self._makers[index] for index in operation.inputs if index in self._makers):
            if found := named[place] or self._nearest(self._bare(self.subgraph.operators[place]), named):
                return found[:1]
        return []

    def _chain(self, names: Sequence[str], everywhere: set[str]) -> list[str]:
        return list(dict.fromkeys(self._graph.fused(names[0], names, everywhere))) if names else []

    def _with_folded(self, chains: list[list[str]], everywhere: set[str]) -> list[list[str]]:
        """Give each batch normalization that has left no trace to the operation of the layer before it."""
        found = [list(chain) for chain in chains]
        for name in self._graph.classes:
            if self._graph.is_folded(name, everywhere) and not any(name in chain for chain in found):
                for maker in self._graph.makers[name]:
                    for chain in (chain for chain in found if chain and chain[0] == maker):
                        chain.insert(0, name)
        return found


def main_layer(layers: Sequence[str], graph: LayerGraph) -> str:
    """The one of several fused layers that they are known by: that with the kernel, else the first to compute."""
    return next((name for name in reversed(layers) if name in graph.kernels), layers[-1])

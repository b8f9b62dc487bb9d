"""The operations of a .tflite file, each with the layers of the Keras model that it computes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from trainkit.deploy.export.layer_graph import LayerGraph
from trainkit.inference.tflite_graph import GraphOperation, Tensor, TFLiteGraph

CASTS = ("QUANTIZE", "DEQUANTIZE")
_WITHOUT_LAYERS = (*CASTS, "NumericVerify")
_FLOATS = ("float32", "float16")
_INTEGERS = ("int8", "uint8", "int16")

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
    """A .tflite file that was just written here, with the layers of its model.

    Args:
        graph: The file.
        layers: The layers of the model that it was made from.
    """

    def __init__(self, graph: TFLiteGraph, layers: LayerGraph) -> None:
        self.graph = graph
        self._layers = layers
        self._paths = {name.replace(".", "/"): name for name in layers.classes}
        self._signature = graph.signature
        bare = [self._bare(one) for one in graph.operations if one.subgraph == self._signature.subgraph]
        self._makers = {index: place for place, one in enumerate(bare) for index in one.outputs}
        self._named = self._names(bare)
        self.operations = self._with_layers(bare)

    @property
    def computing(self) -> list[Operation]:
        """The operations that compute something of a layer."""
        return [one for one in self.operations if one.layers]

    @property
    def tensors(self) -> list[Tensor]:
        """Those of the graph."""
        return self.graph.tensors[self._signature.subgraph]

    def tensor(self, index: int) -> Tensor:
        """A tensor of the graph."""
        return self.tensors[index]

    def values(self, index: int) -> np.ndarray | None:
        """The values of a constant."""
        return self.graph.values(index, self._signature.subgraph)

    def set_values(self, values: np.ndarray, index: int) -> None:
        """Let a constant have other values."""
        self.graph.set_values(values, index, self._signature.subgraph)

    def input_names(self) -> dict[int, str]:
        """The inputs of the signature, by number of the tensor."""
        return dict(self._signature.inputs)

    def layers(self) -> list[str]:
        """The layer that each operation of the file is named after, those in bodies of loops too; or nothing."""
        named = iter(self._named)
        found = []
        for one in self.graph.operations:
            own = next(named) if one.subgraph == self._signature.subgraph else []
            found.append(next(iter(own or self._layers_given(one)), ""))
        return found

    def _layers_given(self, operation: GraphOperation) -> list[str]:
        """What tensors are named after that an operation gives which only changes a type, or stands in a loop."""
        if operation.subgraph == self._signature.subgraph:
            outputs = [self._signature.outputs[one] for one in operation.outputs if one in self._signature.outputs]
            if outputs:
                return [self._layers.outputs.get(name, name) for name in outputs]
        names = (self.graph.tensor(index, operation.subgraph).name for index in operation.outputs)
        return [layer for name in names for layer in self._layers_in(name)]

    def _bare(self, operator: GraphOperation) -> Operation:
        inputs, outputs = operator.inputs, operator.outputs
        types = {self.tensor(index).dtype for index in (*inputs, *outputs)}
        arithmetic: Arithmetic = "neither"
        if operator.kind not in _WITHOUT_LAYERS:
            is_float = any(one in _FLOATS for one in types)
            arithmetic = "float" if is_float else "integer" if any(one in _INTEGERS for one in types) else "neither"
        return Operation(operator.kind, self._name(outputs[0]) if outputs else "", inputs, outputs, arithmetic)

    def _name(self, index: int) -> str:
        return self.tensor(index).name

    def _names(self, bare: Sequence[Operation]) -> list[list[str]]:
        """The layers that each operation is named after, or the one that it was put in behind."""
        named = [[] if one.kind in _WITHOUT_LAYERS else self._named_after(one, bare) for one in bare]
        for place, one in enumerate(bare):  # in the order of the file: what an operation takes from comes before it
            if not named[place] and one.kind not in _WITHOUT_LAYERS:
                named[place] = self._nearest(one, bare, named)
        return named

    def _with_layers(self, bare: Sequence[Operation]) -> list[Operation]:
        everywhere = {name for names in self._named for name in names}
        chains = [self._chain(names, everywhere) for names in self._named]
        chains = self._with_folded(chains, everywhere)
        return [replace(one, layers=tuple(chain)) for one, chain in zip(bare, chains, strict=True)]

    def _named_after(self, operation: Operation, bare: Sequence[Operation]) -> list[str]:
        """The layers that an operation is named after; of one that gives an output, the layer of that output."""
        if found := list(self._layers_in(operation.name)):
            return found
        if output := self._output_of(operation.outputs, bare):
            return [self._layers.outputs.get(output, output)]
        constants = (self._name(index) for index in operation.inputs if self.tensor(index).is_constant)
        return [layer for name in constants for layer in self._layers_in(name)]

    def _layers_in(self, name: str) -> Iterator[str]:
        """Names are `model/layer/Operation`, joined by `;` where several were fused.

        A layer may be called `block/conv`; one called `encoder.conv` is `encoder/conv` where the file was made of a
        network with another one inside.
        """
        for whole in name.split(";"):
            _, *parts = whole.split("/")
            ways = ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]
            inside = (self._paths.get(way.replace(".", "/")) for way in ways)
            known = (way for way in ways if way in self._layers.classes)
            if (layer := next(known, None) or next(filter(None, inside), None)) is not None:
                yield layer

    def _output_of(self, outputs: Iterable[int], bare: Sequence[Operation]) -> str | None:
        """The output of the file that some tensors become, by changes of type alone."""
        for index in outputs:
            if index in self._signature.outputs:
                return self._signature.outputs[index]
            for one in bare:
                if one.kind in CASTS and index in one.inputs and (found := self._output_of(one.outputs, bare)):
                    return found
        return None

    def _nearest(self, operation: Operation, bare: Sequence[Operation], named: Sequence[list[str]]) -> list[str]:
        """What the operations are named after that one without a name takes from: it was put in behind them."""
        for place in (self._makers[index] for index in operation.inputs if index in self._makers):
            if found := named[place] or self._nearest(bare[place], bare, named):
                return found[:1]
        return []

    def _chain(self, names: Sequence[str], everywhere: set[str]) -> list[str]:
        return list(dict.fromkeys(self._layers.fused(names[0], names, everywhere))) if names else []

    def _with_folded(self, chains: list[list[str]], everywhere: set[str]) -> list[list[str]]:
        """Give each batch normalization that has left no trace to the operation of the layer before it."""
        found = [list(chain) for chain in chains]
        for name in self._layers.classes:
            if self._layers.is_folded(name, everywhere) and not any(name in chain for chain in found):
                for maker in self._layers.makers[name]:
                    for chain in (chain for chain in found if chain and chain[0] == maker):
                        chain.insert(0, name)
        return found


def main_layer(layers: Sequence[str], graph: LayerGraph) -> str:
    """The one of several fused layers that they are known by: that with the kernel, else the first to compute."""
    return next((name for name in reversed(layers) if name in graph.kernels), layers[-1])

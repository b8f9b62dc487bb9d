"""The operations of a .tflite, each with what it takes and gives, and with the layer that it is of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainkit.inference.layer_names import layer_of, outermost
from trainkit.inference.tflite_graph import Tensor, TFLiteGraph


@dataclass(frozen=True)
class Operation:
    """A step of a file.

    Args:
        kind: That of TensorFlow Lite's own operation, or the custom one's name.
        inputs: What it takes; what is left out of them is not there.
        outputs: What it gives.
        layer: The layer of Keras that it is of, as far as that is known.
        subgraph: 0, or the number of the body of a loop that it stands in.
        is_custom: Whether it is none of TensorFlow Lite's own.
        options: Its arguments, as the schema has them.
    """

    kind: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    layer: str = ""
    subgraph: int = 0
    is_custom: bool = False
    options: Any = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.kind} of {self.layer}" if self.layer else self.kind


def read_operations(graph: TFLiteGraph, layers: Sequence[str] | None = None) -> list[Operation]:
    """List the operations of a .tflite in the order in which they are computed.

    Args:
        graph: The file.
        layers: The layer that each of its operations is of, or nothing; by default as far as the file tells.
    """
    if layers is None:
        layers = outermost(list(_layers_told(graph)))
    return [
        Operation(
            kind=one.kind,
            inputs=tuple(graph.tensor(index, one.subgraph) for index in one.inputs),
            outputs=tuple(graph.tensor(index, one.subgraph) for index in one.outputs),
            layer=layer,
            subgraph=one.subgraph,
            is_custom=one.is_custom,
            options=one.options,
        )
        for one, layer in zip(graph.operations, layers, strict=True)
    ]


def _layers_told(graph: TFLiteGraph) -> Iterator[str]:
    """The layer of each operation by the names in the file alone; an output goes by the name of its layer."""
    named = {(one.subgraph, index): name for one in graph.signatures for index, name in one.outputs.items()}
    for one in graph.operations:
        given = (
            named.get((one.subgraph, index)) or layer_of(graph.tensor(index, one.subgraph).name)
            for index in one.outputs
        )
        yield next(filter(None, given), "")

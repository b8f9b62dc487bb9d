"""Layers that an int8 file computes with real numbers: which ones a config asks for, and whether the file has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from trainkit.config import Node, NodeError
from trainkit.deploy.export.layer_graph import LayerGraph, flat
from trainkit.deploy.export.operations import Operation, OperationsFile
from trainkit.models.patterns import fits, unknown_pattern
from trainkit.models.targets.parts import leaves_nothing

AUTO = "auto"
MOST_TOLD = 3


@dataclass(frozen=True)
class Islands:
    """What a file of integers may, and must, compute with real numbers.

    Args:
        patterns: Of the layers; none may where there are none.
        graph: The layers of the model that the file was made from.
    """

    patterns: tuple[str, ...]
    graph: LayerGraph

    @classmethod
    def of(cls, patterns: Iterable[str], model: Any) -> Islands:
        """Those of a file that is made from a `tf.keras.Model`."""
        return cls(tuple(patterns), LayerGraph.of(flat(model)))

    def faults(self, file: OperationsFile) -> list[str]:
        """What a file does otherwise, a sentence each."""
        operations = file.operations
        inside = [one for one in operations if self._is_inside(one)]
        floats = [one for one in operations if one.arithmetic == "float"]
        others = [one for one in floats if one not in inside]
        integers = [one for one in inside if one.arithmetic == "integer"]
        where = f"in the layers of exclude={list(self.patterns)!r} only" if self.patterns else "none"
        return [
            *([f"computation with real numbers inside expected: {where}, found: {_told(others)}."] if others else []),
            *([f"real numbers in excluded layers expected, found: integers in {_told(integers)}."] if integers else []),
            *(
                f"real numbers in the layers of {pattern!r} expected, found: no operation of theirs."
                for pattern in self.patterns
                if not any(_fits(pattern, one) for one in floats)
            ),
        ]

    def layers(self, file: OperationsFile) -> list[str]:
        """The layers that a file computes with real numbers, in the order of the network."""
        found = {layer for one in file.operations if one.arithmetic == "float" for layer in one.layers}
        return [name for name in self.graph.names if name in found]

    def _is_inside(self, operation: Operation) -> bool:
        return any(_fits(pattern, operation) for pattern in self.patterns)


def _fits(pattern: str, operation: Operation) -> bool:
    return any(fits(pattern, layer) for layer in operation.layers)


def _told(operations: Sequence[Operation]) -> str:
    few = [f"{one.kind} of {_place(one)}" for one in operations[:MOST_TOLD]]
    return f"{len(operations)} ({', '.join([*few, *(['…'] if len(operations) > MOST_TOLD else [])])})"


def _place(operation: Operation) -> str:
    return f"layer {operation.layers[-1]!r}" if operation.layers else f"tensor {operation.name!r}"


def is_int8(node: Node) -> bool:
    """Whether an exporter writes a .tflite of integers."""
    return node.class_name == "TFLite" and node.arguments.get("precision") == "int8"


def islands_of(node: Node, model: Any) -> Islands | None:
    """What an exporter's node excludes; None where it is no file with islands.

    Args:
        node: The exporter; `auto` must have become a list.
        model: The `tf.keras.Model` that the file is made from.
    """
    patterns = node.arguments.get("exclude") or ()
    return Islands.of(patterns, model) if patterns else None


def check_excluded(nodes: Iterable[Node], model: Any) -> None:
    """Refuse patterns that fit no layer of a model, or none that a file could hold, before anything is trained.

    Raises:
        NodeError: At the exporter that has such a pattern.
    """
    for node in nodes:
        exclude = node.arguments.get("exclude")
        if exclude and (precision := node.arguments.get("precision", "float32")) != "int8":
            message = f"must be left out where `precision` is {precision}. Set `precision: int8`, or leave it out."
            raise NodeError(node, message, argument="exclude")
        patterns = () if not exclude or exclude == AUTO else exclude
        if patterns and (told := _fault(patterns, flat(model))):
            raise NodeError(node, told, argument="exclude")


def _fault(patterns: Iterable[str], model: Any) -> str | None:
    """What is wrong with patterns, as far as it is known before a file is converted."""
    graph = LayerGraph.of(model)
    nothing = {layer.name for layer in model.layers if leaves_nothing(layer)}
    for pattern in patterns:
        if told := unknown_pattern(pattern, graph.names) or graph.absence(pattern, {*graph.names} - nothing):
            return told
    return None

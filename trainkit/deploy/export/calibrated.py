"""A network whose ranges are known: files of integers are made of it without calibrating again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trainkit.deploy.export.layer_graph import LayerGraph
from trainkit.deploy.export.operations import Operation, OperationsFile, main_layer
from trainkit.errors import ExportError, InputError
from trainkit.framework import mlir_quantize, tf
from trainkit.inference.predictor import reason_of
from trainkit.inference.preprocess import Preprocess
from trainkit.inference.tflite_graph import TFLiteGraph
from trainkit.models.patterns import fits, unknown_pattern


@dataclass(frozen=True)
class Calibrated:
    """What a converter gives once it has calibrated: real numbers, each tensor with its range.

    Args:
        content: The .tflite.
        graph: The layers of the model that it was made from.
        preprocess: What is done to raw columns before the file.
        name: Of the file, for messages.
    """

    content: bytes
    graph: LayerGraph
    preprocess: Preprocess | None = None
    name: str = "the file of integers"

    @cached_property
    def operations(self) -> list[Operation]:
        """Those that compute something of a layer."""
        return OperationsFile(TFLiteGraph(self.content), self.graph).computing

    @cached_property
    def computed(self) -> set[str]:
        """The layers that have an operation."""
        return {layer for one in self.operations for layer in one.layers}

    def choose(self, patterns: Iterable[str]) -> list[str]:
        """The layers that patterns name, in the order of the network.

        Args:
            patterns: As shells have them, or names of blocks; of several layers that one fits, those count that the
                file computes.

        Raises:
            InputError: If a pattern fits no layer, none that the file computes, or one without those tied to it.
        """
        chosen: set[str] = set()
        for pattern in patterns:
            if told := unknown_pattern(pattern, self.graph.names):
                raise InputError(f"`exclude` {told}")
            if told := self.graph.absence(pattern, self.computed):
                raise InputError(f"`exclude` {told}")
            chosen.update(name for name in self.computed if fits(pattern, name))
        for layer in chosen:
            if left := [name for name in self.tied(layer) if name not in chosen]:
                names = ", ".join(map(repr, left))
                raise InputError(
                    f"`exclude` must name {layer!r} together with {names}: the converter tells such operations "
                    f"apart by their kind alone. Received: {sorted(chosen)!r}. Write all, or none."
                )
        return [name for name in self.graph.names if name in chosen]

    def quantize(
        self, exclude: Collection[str] = (), *, input_type: str = "float32", output_type: str = "float32"
    ) -> bytes:
        """The file of integers.

        Args:
            exclude: Layers that compute with real numbers.
            input_type: What it takes.
            output_type: What it gives.

        Raises:
            ExportError: If the converter refuses it.
        """
        types = {"input_data_type": tf.as_dtype(input_type), "output_data_type": tf.as_dtype(output_type)}
        names = [one.name for one in self._known if _is_in(one, exclude)]
        kinds = [kind for kind in self._by_kind if all(_is_in(one, exclude) for one in self._of_kind(kind))]
        return self._quantized(names=names, kinds=kinds, **types)

    def compared(self) -> bytes:
        """The file that computes everything with integers and with real numbers, and compares both.

        Raises:
            ExportError: If the converter refuses it.
        """
        return self._quantized(is_debug=True)

    def tied(self, layer: str) -> list[str]:
        """The other layers that must be in float32 where one is."""
        kinds = [kind for kind in self._by_kind if any(layer in one.layers for one in self._of_kind(kind))]
        others = [one for kind in sorted(kinds) for one in self._of_kind(kind) if layer not in one.layers]
        return list(dict.fromkeys(main_layer(one.layers, self.graph) for one in others))

    @cached_property
    def floats(self) -> list[str]:
        """Layers that compute with real numbers in every file: there is no operation on integers for them."""
        operations = OperationsFile(TFLiteGraph(self._quantized()), self.graph).computing
        found = {layer for one in operations if one.arithmetic == "float" for layer in one.layers}
        return [name for name in self.graph.names if name in found]

    @cached_property
    def _known(self) -> list[Operation]:
        """The operations under all names that the converter knows them by: it renames some before it looks."""
        content = self._quantized(names=[one.name for one in self.operations])
        return [*self.operations, *self._integers_in(content)]

    @cached_property
    def _by_kind(self) -> set[str]:
        """The kinds of operations that it knows by no name: what gives several tensors, transposed convolutions."""
        content = self._quantized(names=[one.name for one in self._known])
        return {one.kind for one in self._integers_in(content)}

    def _quantized(self, **options: Any) -> bytes:
        try:
            return mlir_quantize(self.content, **options)
        except Exception as error:  # the converter's own errors have no common base
            failure = ExportError(f"{self.name} cannot be written: {reason_of(error)}.")
        raise failure  # out here, so that pages of compiler messages are not shown

    def _of_kind(self, kind: str) -> list[Operation]:
        return [one for one in self.operations if one.kind == kind]

    def _integers_in(self, content: bytes) -> list[Operation]:
        operations = OperationsFile(TFLiteGraph(content), self.graph).computing
        return [one for one in operations if one.arithmetic == "integer"]


def _is_in(operation: Operation, layers: Collection[str]) -> bool:
    return not set(layers).isdisjoint(operation.layers)

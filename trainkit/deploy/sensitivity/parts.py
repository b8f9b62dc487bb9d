"""What can be left in float32 of a network by itself: a layer, with what is fused into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from trainkit.deploy.export.calibrated import Calibrated
from trainkit.deploy.export.operations import Operation, OperationsFile, main_layer
from trainkit.inference.tflite_graph import TFLiteGraph

SAME_SCALE = frozenset(
    (
        *("BATCH_TO_SPACE_ND", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "MAX_POOL_2D", "MIRROR_PAD", "PAD", "PADV2"),
        *("RESHAPE", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "SHAPE", "SLICE", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH"),
        *("SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK"),
    )
)
"""Operations that pass integers on as they are: they have no rounding of their own."""


@dataclass(frozen=True)
class Part:
    """A layer of the network as the file computes it.

    Args:
        name: Of the Keras layer; of those that were fused the one with the kernel.
        class_name: Of that layer.
        layers: All Keras layers of its operations.
        operations: Those of the calibrated file, by number.
    """

    name: str
    class_name: str
    layers: tuple[str, ...]
    operations: tuple[int, ...]


class Parts:
    """The parts of a calibrated network, and who takes what from whom.

    Args:
        calibrated: The network.
    """

    def __init__(self, calibrated: Calibrated) -> None:
        self.graph, self._calibrated = calibrated.graph, calibrated
        self.file = OperationsFile(TFLiteGraph(calibrated.content), calibrated.graph)
        self.inputs = self.file.input_names()
        grouped: dict[str, list[int]] = {}
        for place, one in enumerate(self.file.operations):
            if one.layers and one.arithmetic == "float":
                grouped.setdefault(main_layer(one.layers, self.graph), []).append(place)
        self.by_name: Mapping[str, Part] = {name: self._part(name, places) for name, places in grouped.items()}

    def of(self, layers: Iterable[str]) -> list[Part]:
        """The part that each layer, if it computes something, belongs to, each once."""
        found = (one for layer in layers for one in self.by_name.values() if layer in one.layers)
        return list(dict.fromkeys(found))

    def operations_of(self, part: Part) -> list[Operation]:
        """The operations of a part."""
        return [self.file.operations[place] for place in part.operations]

    def around(self, name: str) -> tuple[str, ...]:
        """A part, or an input, and all that must be in float32 for what it gives not to be rounded at all."""
        own = [name] if name in self.by_name else []
        return tuple(dict.fromkeys([*own, *self._takers(self._given(name))]))

    def with_tied(self, names: Iterable[str]) -> tuple[str, ...]:
        """Some parts, and those that are in float32 together with them only."""
        layers = (layer for name in names for one in self.by_name[name].layers for layer in self._calibrated.tied(one))
        return tuple(dict.fromkeys([*names, *(part.name for part in self.of(layers))]))

    def _part(self, name: str, places: list[int]) -> Part:
        layers = dict.fromkeys(layer for place in places for layer in self.file.operations[place].layers)
        return Part(name, self.graph.classes[name], tuple(layers), tuple(places))

    def _given(self, name: str) -> set[int]:
        """The tensors that a part gives to others, or that an input is."""
        if name not in self.by_name:
            return {index for index, one in self.inputs.items() if one == name}
        return {index for one in self.operations_of(self.by_name[name]) for index in one.outputs}

    def _takers(self, tensors: set[int]) -> list[str]:
        found: list[str] = []
        for place, one in enumerate(self.file.operations):
            if place in self._owners and not tensors.isdisjoint(one.inputs):
                found.append(self._owners[place])
                if one.kind in SAME_SCALE:
                    found += self._takers(set(one.outputs))
        return found

    @cached_property
    def _owners(self) -> dict[int, str]:
        return {place: name for name, part in self.by_name.items() for place in part.operations}

"""A model -> the boxes and blocks that are drawn of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any

from trainkit.framework import tf
from trainkit.models.calls import calls_of, nodes_of
from trainkit.models.drawing.describe import describe_layer, is_operation, show_shape
from trainkit.models.drawing.items import Block, Box, Item, Network
from trainkit.models.drawing.order import blocks_in_cycles
from trainkit.models.drawing.palette import FOLDED, family_of
from trainkit.models.weights import weight_count

MOST_BOXES = 150
"""More are not read well on one picture."""


def network_of(model: Any, *, depth: int | None, block_names: Mapping[str, str]) -> Network:
    """The boxes and blocks of a model.

    Args:
        model: A functional or sequential `tf.keras.Model`.
        depth: Blocks nested so deep are folded into one box each; None for the deepest that stays readable.
        block_names: The class of a block, by its path.
    """
    builder = _Builder(model, block_names)
    deepest = max((len(path) - 1 for path in builder.paths.values()), default=0)
    if depth is not None:
        chosen = depth
    else:
        counts = {level: sum(item.boxes for item in builder.items(level)) for level in range(deepest + 1, 0, -1)}
        chosen = next((level for level, count in counts.items() if count <= MOST_BOXES), 1)
    items = builder.items(chosen)
    return Network(items, builder.edges, builder.calls, chosen, deepest)


class _Builder:
    """Groups the calls of a model by the paths of their layers."""

    def __init__(self, model: Any, block_names: Mapping[str, str]) -> None:
        inputs = sorted((node for node in nodes_of(model) if node.is_input), key=_place_in(model.inputs))
        calls = [*inputs, *_with_outputs_in_order(calls_of(model), model)]
        self.calls = {id(call): call for call in calls}
        self.block_names = block_names
        self.paths = {id(call): _path_of(call.layer) for call in calls}
        makers = {id(tensor): id(call) for call in calls for tensor in tf.nest.flatten(call.outputs)}
        found = ((makers.get(id(tensor)), id(call)) for call in calls for tensor in call.keras_inputs)
        pairs = ((maker, taker) for maker, taker in found if maker is not None and maker != taker)
        self.edges = list(dict.fromkeys(pairs))
        self._given = {makers[id(tensor)] for tensor in tf.nest.flatten(model.outputs)}
        times = Counter(id(call.layer) for call in calls)
        self._turn = {}
        for layer in {id(call.layer): call.layer for call in calls}.values():
            mine = [id(node) for node in layer._inbound_nodes if id(node) in self.calls]
            self._turn.update({call: (turn, times[id(layer)]) for turn, call in enumerate(mine)})

    def items(self, depth: int) -> list[Item]:
        """Boxes and blocks, those as deep as `depth` folded."""
        return self._items(list(self.calls), (), max(depth, 1))

    def _items(self, calls: Sequence[int], above: tuple[str, ...], depth: int) -> list[Item]:
        groups = self._groups(calls, above)
        while cyclic := blocks_in_cycles([inner for _, inner in groups], self.edges):
            groups = [
                part
                for index, (path, inner) in enumerate(groups)
                for part in (self._groups(inner, path) if index in cyclic and path else [(path, inner)])
            ]
        return [self._item(path, inner, above, depth) for path, inner in groups]

    def _groups(self, calls: Sequence[int], above: tuple[str, ...]) -> list[tuple[tuple[str, ...], list[int]]]:
        """The calls of each block below a path, with its path, and single calls, with none."""
        groups: dict[Any, list[int]] = {}
        for call in calls:
            path = self.paths[call]
            is_inside = len(path) > len(above) + 1
            groups.setdefault(path[: len(above) + 1] if is_inside else call, []).append(call)
        return [
            (path if isinstance(path, tuple) else (), part)
            for path, inner in groups.items()
            for part in (self._turns(inner) if isinstance(path, tuple) else [inner])
        ]

    def _turns(self, calls: list[int]) -> list[list[int]]:
        """The calls of a block, one list for each time that the whole block is called."""
        by_layer: dict[int, list[int]] = {}
        for call in calls:
            by_layer.setdefault(id(self.calls[call].layer), []).append(call)
        times = gcd(*map(len, by_layer.values()))
        if times == 1:
            return [calls]
        turn = {
            call: index * times // len(mine)
            for mine in by_layer.values()
            for index, call in enumerate(sorted(mine, key=lambda one: self._turn[one][0]))
        }
        return [[call for call in calls if turn[call] == index] for index in range(times)]

    def _item(self, path: tuple[str, ...], calls: list[int], above: tuple[str, ...], depth: int) -> Item:
        if not path:
            return self._box(calls[0], above)
        name, joined = ".".join(path[len(above) :]), ".".join(path)
        turn, times = self._turn[calls[0]]
        mine = sum(self.calls[call].layer is self.calls[calls[0]].layer for call in calls)
        shared = f"{turn // mine + 1} of {times // mine}" if times > mine else ""
        class_name = self.block_names.get(joined, "")
        if len(path) >= depth:
            return self._folded(Box(name, frozenset(calls), path=joined, description=class_name, shared=shared), calls)
        items = self._items(calls, path, depth)
        for inner in items if shared else ():
            if isinstance(inner, Box | Block) and inner.shared == shared:
                inner.shared = ""  # the frame says it
        return Block(
            name,
            frozenset(calls),
            path=joined,
            class_name=class_name,
            items=items,
            level=len(path),
            shared=shared,
        )

    def _folded(self, box: Box, calls: Sequence[int]) -> Box:
        """Let a box stand for the layers of a block."""
        layers = {id(self.calls[call].layer): self.calls[call].layer for call in calls}
        box.family, box.layers = FOLDED, len(layers)
        box.shape, box.parameters = self._shape_after(calls), _weights(layers.values())
        box.is_output = not self._given.isdisjoint(calls)
        return box

    def _box(self, call: int, above: tuple[str, ...]) -> Box:
        made = self.calls[call]
        turn, times = self._turn.get(call, (0, 1))
        family = family_of(made.layer)
        return Box(
            ".".join(self.paths[call][len(above) :]),
            frozenset([call]),
            path=made.layer.name,
            description="Input" if family == "input" else describe_layer(made.layer),
            shape=show_shape(made.output_shapes),
            parameters=_weights([made.layer]),
            family=family,
            shared=f"{turn + 1} of {times}" if times > 1 else "",
            is_output=call in self._given,
        )

    def _shape_after(self, calls: Sequence[int]) -> str:
        """The shape of the last thing that a block gives."""
        inside = set(calls)
        leaving = [maker for maker, taker in self.edges if maker in inside and taker not in inside]
        leaving += [call for call in calls if call in self._given]
        last = max(leaving or calls, key=calls.index)
        return show_shape(self.calls[last].output_shapes)


def _place_in(inputs: Any) -> Any:
    places = {tensor._keras_history.layer.name: place for place, tensor in enumerate(tf.nest.flatten(inputs))}
    return lambda node: places.get(node.layer.name, len(places))


def _with_outputs_in_order(calls: list[Any], model: Any) -> list[Any]:
    """Calls with those that nothing takes from last, in the order of the outputs of a model."""
    taken = {id(tensor) for call in calls for tensor in call.keras_inputs}
    places = {id(tensor): place for place, tensor in enumerate(tf.nest.flatten(model.outputs), 1)}

    def place(call: Any) -> int:
        tensors = [id(tensor) for tensor in tf.nest.flatten(call.outputs)]
        return 0 if not taken.isdisjoint(tensors) else max(places.get(tensor, 0) for tensor in tensors)

    return sorted(calls, key=place)


def _path_of(layer: Any) -> tuple[str, ...]:
    """The names of the blocks around a layer, and its own."""
    if is_operation(layer):
        before, _, after = f".{layer.name}".partition(".tf.")
        return (*filter(None, before.split(".")), f"tf.{after}") if after else (layer.name,)
    parts = tuple(layer.name.split("."))
    return parts if all(parts) else (layer.name,)


def _weights(layers: Any) -> int:
    """The number of weights in layers; one that two of them share counts once."""
    weights = {id(weight): weight for layer in layers for weight in layer.weights}
    return weight_count(weights.values())

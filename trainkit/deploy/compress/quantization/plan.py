"""Where a network is rounded: which kernels, and which layers' outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from trainkit.deploy.compress.quantization import kinds
from trainkit.deploy.compress.quantization.expand import Expanded
from trainkit.deploy.compress.quantization.fusion import fused, preprocessing
from trainkit.deploy.compress.quantization.hard_swish import find_hard_swishes
from trainkit.framework import tf
from trainkit.models.calls import Graph

Range = Literal["average", "widest"] | tuple[float, float]
"""How the range of an output is found: the mean of the batches, the widest of all, or always the same one."""

Status = Literal["quantized", "folded", "calibrated", "float"]


@dataclass(frozen=True)
class Place:
    """What is done to a layer.

    Args:
        status: In one word.
        reason: In a few.
        kernel: Whether its kernel is rounded.
        output: The range that its output is rounded in, if it is.
        norms: The BatchNormalizations that are folded into it.
        scales: Whether it is a BatchNormalization that becomes a convolution of one value a channel.
    """

    status: Status
    reason: str
    kernel: bool = False
    output: Range | None = None
    norms: tuple[str, ...] = ()
    scales: bool = False


def plan(network: Expanded) -> dict[str, Place]:
    """Decide where a network is rounded.

    Args:
        network: It is not changed.

    Returns:
        What is done to each layer, by name.
    """
    planner = _Planner(network)
    for call in planner.graph.calls:
        planner.place(call)
    return _share_ranges(planner.graph, planner.places)


class _Planner:
    def __init__(self, network: Expanded) -> None:
        self.graph = Graph(network.model)
        self.places: dict[str, Place] = {}
        self._ends = network.ends
        self._before = preprocessing(self.graph)
        self._whole = {id(call) for match in find_hard_swishes(self.graph) for call in match[:-1]}

    def place(self, call: Any) -> None:
        """Decide on the layer of a call, and on those that are fused into it."""
        layer = call.layer
        if layer.name in self.places:
            return
        reason = self._reason_to_leave(call)
        if id(call) in self._whole:
            self.places[layer.name] = Place("quantized", "part of a hard swish, which is one step")
        elif reason:
            self.places[layer.name] = Place("calibrated", reason)
        elif kinds.kernel_of(layer):
            self._place_chain(layer, Place("quantized", "kernel rounded", kernel=True))
        elif type(layer) is tf.keras.layers.BatchNormalization:
            self._place_chain(layer, Place("quantized", self._why_not_folded(call), scales=_scales(call)))
        elif type(layer) in kinds.ARITHMETIC:
            self._place_chain(layer, Place("quantized", ""))
        else:
            self.places[layer.name] = self._place_alone(call)

    def _reason_to_leave(self, call: Any) -> str:
        if id(call) in self._before:
            return "left to calibration: before the first rounded kernel"
        calls = self.graph.of(call.layer)
        if any(getattr(tensor, "_keras_mask", None) is not None for one in calls for tensor in one.keras_inputs):
            return "left to calibration: takes a mask"
        if len(tf.nest.flatten(call.outputs)) > 1 or not tf.nest.flatten(call.outputs)[0].dtype.is_floating:
            return "left to calibration: gives no single tensor of real numbers"
        return ""

    def _place_chain(self, layer: Any, place: Place) -> None:
        """Round at the end of what the file computes in one step."""
        chain = fused(self.graph, layer)
        norms = [one for one in chain[1:] if type(one) is tf.keras.layers.BatchNormalization]
        self.places[layer.name] = replace(place, norms=tuple(norm.name for norm in norms))
        for one in chain[1:]:
            status: Status = "folded" if one in norms else "quantized"
            self.places[one.name] = Place(status, f"{'folded' if one in norms else 'fused'} into {layer.name}")
        end = self.places[chain[-1].name]
        reason = f"{end.reason}, output rounded".removeprefix(", ")
        self.places[chain[-1].name] = replace(end, output=self._range(chain[-1]), reason=reason)
        if not self.places[layer.name].reason:
            self.places[layer.name] = replace(self.places[layer.name], reason=f"one step with {chain[-1].name}")

    def _place_alone(self, call: Any) -> Place:
        layer, activation = call.layer, kinds.activation_of(call.layer)
        if layer.name in self._ends or type(layer) in (*kinds.COMPUTING, *kinds.SAME_RANGE):
            return Place("quantized", "output rounded", output=self._range(layer))
        if kinds.is_identity(call):
            return Place("quantized", "nothing is computed")
        if type(layer) in kinds.MOVERS:
            return Place("quantized", "keeps the range of its input")
        if type(layer) not in (tf.keras.layers.Activation, tf.keras.layers.Softmax, tf.keras.layers.ELU):
            return Place("calibrated", "left to calibration: no rounding is known for it")
        if activation in kinds.FIXED:
            is_output = any(self.graph.is_output(one) for one in self.graph.of(layer))
            return Place("quantized", "range is fixed", output=None if is_output else kinds.FIXED[activation])
        if activation in kinds.LEARNED:
            return Place("quantized", "output rounded", output=self._range(layer))
        if activation in kinds.FLOAT:
            return Place("float", f"{activation} is computed with real numbers", output=self._range(layer))
        return Place("calibrated", "left to calibration: no rounding is known for its activation")

    def _range(self, layer: Any) -> Range:
        """The way to the range of an output; what the model gives is not to be cut off."""
        return "widest" if any(self.graph.is_output(call) for call in self.graph.of(layer)) else "average"

    def _why_not_folded(self, call: Any) -> str:
        calls = self.graph.of(call.layer)
        if len(calls) > 1:
            return f"shared by {len(calls)} calls: not folded"
        return f"follows {self.graph.makers(call)[0].layer.name}: not folded"


def _scales(call: Any) -> bool:
    """Whether a BatchNormalization can be a convolution."""
    return call.keras_inputs[0].shape.rank == 4 and list(call.layer.axis) == [3]


def _share_ranges(graph: Graph, places: Mapping[str, Place]) -> dict[str, Place]:
    """Let what goes only into a layer of one range take that range."""
    shared = dict(places)
    for call in graph.calls:
        if type(call.layer) in kinds.SAME_RANGE and places[call.layer.name].output:
            for maker in _sources(graph, call):
                place = places[maker.layer.name]
                if place.output == "average" and not graph.is_shared(maker.layer):
                    reason = place.reason.replace("output rounded", f"output rounded by {call.layer.name}")
                    shared[maker.layer.name] = replace(place, output=None, reason=reason)
    return shared


def _sources(graph: Graph, call: Any) -> Iterator[Any]:
    """The calls whose outputs go nowhere but into a call, if they are moved at all."""
    for maker in graph.makers(call):
        source = maker
        while source and graph.only_taker(source) and _moves(source):
            source = graph.makers(source)[0] if graph.makers(source) else None
        if source and graph.only_taker(source):
            yield source


def _moves(call: Any) -> bool:
    return type(call.layer) in kinds.MOVERS or kinds.is_identity(call)

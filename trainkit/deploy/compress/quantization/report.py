"""What became of each layer, in the names of the user's network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.deploy.compress.quantization.expand import Expanded
from trainkit.deploy.compress.quantization.plan import Place, Status
from trainkit.models.calls import calls_of

_ORDER = ("float", "calibrated", "quantized", "folded")


@dataclass(frozen=True)
class LayerReport:
    """What became of a layer.

    Args:
        layer: Its name.
        class_name: Its class.
        status: `quantized`: rounded while training as in the file; `folded`: gone into another; `calibrated`: rounded
            in the file only, by the ranges of training samples; `float`: computed with real numbers in the file.
        reason: A few words.
    """

    layer: str
    class_name: str
    status: Status
    reason: str


def report(plain: Any, network: Expanded, places: Mapping[str, Place]) -> tuple[LayerReport, ...]:
    """What became of each layer of a plain network.

    Args:
        plain: The network before it was expanded.
        network: The expanded one.
        places: What was done to its layers.
    """
    found: dict[str, list[Place]] = {}
    for name, place in places.items():
        found.setdefault(_origin(name, network.origins), []).append(place)
    classes = {call.layer.name: type(call.layer).__name__ for call in calls_of(plain)}
    return tuple(_summarize(name, classes[name], found[name]) for name in classes)


def _origin(name: str, origins: Mapping[str, str]) -> str:
    while name in origins:
        name = origins[name]
    return name


def _summarize(name: str, class_name: str, places: list[Place]) -> LayerReport:
    worst = min(places, key=lambda place: _ORDER.index(place.status))
    reasons = dict.fromkeys(place.reason for place in places)
    return LayerReport(name, class_name, worst.status, "; ".join(reasons))

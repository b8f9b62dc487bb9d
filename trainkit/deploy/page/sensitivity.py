"""What int8 costs layer by layer, as `sensitivity.json` has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.deploy.page.records import entries_of, number_of

MOST_LAYERS = 40
"""Of more layers, those with the largest errors are shown."""


@dataclass(frozen=True)
class LayerError:
    """What int8 costs at one layer.

    Args:
        layer: Its name in Keras.
        class_name: Its class.
        alone: The error where it alone is of integers.
        all_but: The error where all others are.
        reasons: Why, a sentence each.
    """

    layer: str
    class_name: str
    alone: float | None
    all_but: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class SensitivityFacts:
    """What int8 costs layer by layer.

    Args:
        layers: The largest errors first.
        more: How many layers are not shown.
        exclude: What to write into the config.
    """

    layers: tuple[LayerError, ...]
    more: int
    exclude: tuple[str, ...]

    @property
    def largest(self) -> float:
        """The largest error that is drawn."""
        return max((value for one in self.layers for value in (one.alone, one.all_but) if value), default=0.0)


def read_sensitivity(record: Mapping[str, Any]) -> SensitivityFacts | None:
    """What a `sensitivity.json` tells; None where there is none."""
    layers = [_layer(entry) for entry in entries_of(record, "layers")]
    ranked = sorted(layers, key=lambda one: -(one.alone or 0.0))
    exclude = record.get("exclude")
    lines = [exclude] if isinstance(exclude, str) else exclude if isinstance(exclude, list) else []
    if not layers:
        return None
    return SensitivityFacts(tuple(ranked[:MOST_LAYERS]), max(0, len(ranked) - MOST_LAYERS), tuple(map(str, lines)))


def _layer(entry: Mapping[str, Any]) -> LayerError:
    reasons = entry.get("reasons")
    return LayerError(
        layer=str(entry.get("layer", "")),
        class_name=str(entry.get("class_name", "")),
        alone=number_of(entry.get("alone")),
        all_but=number_of(entry.get("all_but")),
        reasons=tuple(map(str, reasons)) if isinstance(reasons, list) else (),
    )

"""What int8 costs layer by layer, as `sensitivity.json` has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.deploy.page.nodes import plain_text
from trainkit.deploy.page.records import entries_of, number_of, part_of

MOST_LAYERS = 40
"""Of more layers, those with the largest errors are shown."""


@dataclass(frozen=True)
class LayerError:
    """What int8 costs at one layer.

    Args:
        layer: Its name in Keras.
        class_name: Its class.
        alone: The error where it alone is of integers; None where that was not measured.
        all_but: The error where all others are.
        local: Share of what it gives that its own rounding loses.
        reasons: Why, a word and a sentence each.
    """

    layer: str
    class_name: str
    alone: float | None
    all_but: float | None
    local: float | None
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SensitivityFacts:
    """What int8 costs layer by layer.

    Args:
        file: The file that it is about.
        measured_on: The part of the data.
        samples: How many of its samples.
        layers: The largest errors first.
        more: How many layers are not shown.
        whole: The error of the file of integers throughout.
        passed: Whether that file is good as it is.
        exclude: The layers to leave in real numbers.
        after: The error with these.
        failure: Why nothing was measured.
    """

    file: str
    measured_on: str
    samples: int
    layers: tuple[LayerError, ...]
    more: int
    whole: float | None
    passed: bool
    exclude: tuple[str, ...]
    after: float | None
    failure: str

    @property
    def exclude_line(self) -> str:
        """What to write into the config."""
        return plain_text({"exclude": list(self.exclude)})


def read_sensitivity(record: Mapping[str, Any]) -> SensitivityFacts | None:
    """What a `sensitivity.json` tells; None where there is none."""
    layers, failure = [_layer(entry) for entry in entries_of(record, "layers")], str(record.get("failure") or "")
    if not layers and not failure:
        return None
    exclude = record.get("exclude")
    return SensitivityFacts(
        file=str(record.get("file", "")),
        measured_on=str(record.get("measured_on", "")),
        samples=int(number_of(record.get("samples")) or 0),
        layers=tuple(layers[:MOST_LAYERS]),
        more=max(0, len(layers) - MOST_LAYERS),
        whole=number_of(part_of(record, "integers").get("error")),
        passed=bool(part_of(record, "integers").get("passed")),
        exclude=tuple(map(str, exclude)) if isinstance(exclude, list) else (),
        after=number_of(part_of(record, "choice", "after").get("error")),
        failure=failure,
    )


def _layer(entry: Mapping[str, Any]) -> LayerError:
    return LayerError(
        layer=str(entry.get("layer", "")),
        class_name=str(entry.get("class_name", "")),
        alone=number_of(part_of(entry, "alone").get("error")),
        all_but=number_of(part_of(entry, "without").get("error")),
        local=number_of(entry.get("local")),
        reasons=tuple((str(one.get("kind", "")), str(one.get("text", ""))) for one in entries_of(entry, "reasons")),
    )

"""What the compression steps did, one after the other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from trainkit.deploy.page.compression_tables import Table, tables_of
from trainkit.deploy.page.curves import draw_curves
from trainkit.deploy.page.nodes import plain_text
from trainkit.deploy.page.records import entries_of, number_of, part_of

MOST_LAYERS = 40
"""Of more layers, the first are drawn."""


@dataclass(frozen=True)
class FactoredLayer:
    """A layer that became several smaller ones; pairs are of before and after.

    Args:
        layer: Its name.
        method: How.
        rank: Of its kernel.
        parameters: How many weights.
        macs: Multiply-accumulates for one sample; None where they depend on a size that is open.
        kernel_error: What of the kernel was lost, before training, by its norm.
        output_error: The same of its output.
    """

    layer: str
    method: str
    rank: tuple[int, ...]
    parameters: tuple[int, int]
    macs: tuple[int | None, int | None]
    kernel_error: float
    output_error: float


@dataclass(frozen=True)
class StepFacts:
    """What one step has made of the model; the first is the model before all steps.

    Args:
        step: Its name.
        arguments: What it was called with, by name.
        loss: After it.
        accuracy: After it; None where no output is a class.
        drop_points: Lost against the model before all steps.
        zeros: Share of the kernels' values.
        distinct: Most distinct values in a kernel.
        bytes: Of the weights.
        gzip_bytes: After gzip.
        seconds: That it took.
        layers: What became of layers: how many of each.
        notable: The layers that are not as one would wish, with the reason.
        curves: By layer, the accuracy against the zeros of its kernel, drawn, before the step has trained.
        more: How many layers have curves that are not shown.
        factored: The layers that became several.
        tables: What else it tells of layers and weights.
    """

    step: str
    arguments: tuple[tuple[str, str], ...]
    loss: float | None
    accuracy: float | None
    drop_points: float | None
    zeros: float
    distinct: int
    bytes: int
    gzip_bytes: int
    seconds: float
    layers: Mapping[str, int]
    notable: tuple[tuple[str, str, str], ...]
    curves: tuple[tuple[str, Markup], ...]
    more: int
    factored: tuple[FactoredLayer, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class CompressionFacts:
    """What all steps did.

    Args:
        measured_on: The part of the data that the steps are measured on.
        steps: In their order.
        promises: How many were made.
    """

    measured_on: str
    steps: tuple[StepFacts, ...]
    promises: int

    @property
    def most_bytes(self) -> int:
        """Of the largest step."""
        return max(step.bytes for step in self.steps)


def read_compression(record: Mapping[str, Any]) -> CompressionFacts | None:
    """What a `compression.json` tells; None where there is none."""
    steps = tuple(map(_step, entries_of(record, "steps")))
    promises = len(entries_of(record, "promises"))
    return CompressionFacts(str(record.get("measured_on", "")), steps, promises) if steps else None


def _step(entry: Mapping[str, Any]) -> StepFacts:
    layers = entries_of(part_of(entry, "facts"), "layers")
    curves = tuple(_curves(entry))
    return StepFacts(
        step=str(entry.get("step", "")),
        arguments=tuple((str(key), plain_text(value)) for key, value in part_of(entry, "arguments").items()),
        loss=number_of(entry.get("loss")),
        accuracy=number_of(entry.get("accuracy")),
        drop_points=number_of(entry.get("drop_points")),
        zeros=number_of(entry.get("zeros")) or 0.0,
        distinct=int(entry.get("distinct", 0)),
        bytes=int(entry.get("bytes", 0)),
        gzip_bytes=int(entry.get("gzip_bytes", 0)),
        seconds=number_of(entry.get("seconds")) or 0.0,
        layers=dict(Counter(str(layer.get("status", "")) for layer in layers)),
        notable=tuple(
            (str(layer.get("layer", "")), str(layer.get("class_name", "")), str(layer.get("reason", "")))
            for layer in layers
            if layer.get("status") == "float"
        ),
        curves=curves[:MOST_LAYERS],
        more=max(0, len(curves) - MOST_LAYERS),
        factored=tuple(_factored(layer) for layer in layers if "rank" in layer),
        tables=tuple(tables_of(part_of(entry, "facts"))),
    )


def _factored(layer: Mapping[str, Any]) -> FactoredLayer:
    return FactoredLayer(
        layer=str(layer.get("layer", "")),
        method=str(layer.get("status", "")),
        rank=tuple(layer["rank"]),
        parameters=tuple(layer["parameters"]),
        macs=tuple(layer["macs"]),
        kernel_error=layer["kernel_error"],
        output_error=layer["output_error"],
    )


def _curves(entry: Mapping[str, Any]) -> Iterator[tuple[str, Markup]]:
    """What a pruning within a budget has measured before its first round; the zeros that it chose are marked."""
    for found in entries_of(part_of(entry, "facts"), "rounds")[:1]:
        before, chosen = part_of(found, "sensitivity"), part_of(found, "sparsity")
        for kernel in entries_of(before, "kernels"):
            layer = str(kernel.get("layer", ""))
            zeros, accuracy = _percents(kernel.get("zeros")), _percents(kernel.get("accuracy"))
            share = number_of(chosen.get(layer))
            yield (
                layer,
                draw_curves(
                    zeros,
                    {"validation": accuracy},
                    title=f"{layer}: accuracy in percent",
                    kept=None if share is None else 100 * share,
                    along="shares of zeros",
                    mark="chosen",
                ),
            )


def _percents(values: Any) -> list[float]:
    numbers = map(number_of, values) if isinstance(values, list) else ()
    return [math.nan if value is None else 100 * value for value in numbers]

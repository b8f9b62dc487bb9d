"""The network: its picture, its layers, what it costs."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from trainkit.deploy.subject import Subject
from trainkit.models.costs import layer_costs, peak_memory, total
from trainkit.models.drawing import draw_network
from trainkit.training.network_table import BYTES, COUNTS, Row, amount_text, network_rows

MOST_PICTURE = 400_000
"""Characters of the largest picture that stands in the page."""
MOST_ROWS = 60
"""Of more layers, the first are listed."""
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_HEAD = re.compile(r"^<\?xml[^>]*\?>\s*")
_SIZE = re.compile(r' width="[\d.]+" height="[\d.]+"')


@dataclass(frozen=True)
class LayerRow:
    """A layer or block of the network, its cells as texts."""

    name: str
    class_name: str
    shape: str
    parameters: str
    macs: str


@dataclass(frozen=True)
class NetworkFacts:
    """The network.

    Args:
        picture: As SVG; empty where it would be too large.
        width: Of the picture, in pixels.
        layers: How many there are.
        macs: Multiply-accumulates for one sample, as text.
        peak: The most bytes of activations at once, as text.
        rows: Layer by layer, or block by block.
        more: How many rows were left out.
    """

    picture: Markup
    width: int
    layers: int
    macs: str
    peak: str
    rows: tuple[LayerRow, ...]
    more: int


def describe_network(subject: Subject) -> NetworkFacts | None:
    """Draw the network of a model, and count what it costs; None where it cannot be read."""
    try:
        return _describe(subject)
    except _UNREADABLE:  # a model that was made elsewhere may be anything: its files are good all the same
        return None


def _describe(subject: Subject) -> NetworkFacts:
    model, blocks = subject.model, subject.config.experiment.model.network.blocks
    costs = layer_costs(model)
    rows = network_rows(costs, block_names=blocks)
    unknown = any(cost.macs is None for cost in costs)
    macs = amount_text(total(cost.macs for cost in costs if cost.macs is not None), COUNTS)
    picture, width = _draw(model, title=subject.config.experiment.name, block_names=blocks)
    return NetworkFacts(
        picture=picture,
        width=width,
        layers=sum(cost.call == 1 for cost in costs) - len(model.inputs),
        macs=f"at least {macs}" if unknown else macs,
        peak=amount_text(peak_memory(model).activations, BYTES),
        rows=tuple(map(_row, rows[:MOST_ROWS])),
        more=max(0, len(rows) - MOST_ROWS),
    )


def _draw(model: Any, *, title: str, block_names: Any) -> tuple[Markup, int]:
    """The picture, whose texts are escaped by who writes it, and its width."""
    with tempfile.TemporaryDirectory() as folder:
        filepath = Path(folder) / "network.svg"
        draw_network(model, [filepath], title=title, block_names=block_names)
        text = _HEAD.sub("", filepath.read_text(encoding="utf-8"))
    size = _SIZE.search(text)
    width = round(float(re.findall(r"[\d.]+", size.group())[0])) if size else 0
    if len(text) > MOST_PICTURE:
        return Markup(""), 0
    return Markup(text.replace("<svg ", '<svg class="network" role="img" ', 1)), width


def _row(row: Row) -> LayerRow:
    shape = " × ".join("any" if size is None else str(size) for size in row.output_shape)
    parameters = "shared" if row.parameters is None else f"{row.parameters:,}" if row.parameters else "–"
    macs = amount_text(row.macs, COUNTS)
    return LayerRow(row.name, row.class_name, shape, parameters, macs if row.is_known else "?")

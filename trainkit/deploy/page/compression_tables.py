"""What steps tell of layers and weights, as tables: filters that have gone, shared values, integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.deploy.page.records import entries_of, number_of, part_of
from trainkit.deploy.wording import NOTHING, count_text

MOST_ROWS = 40
"""Of more, the largest are shown."""


@dataclass(frozen=True)
class Table:
    """Figures by layer or weight.

    Args:
        caption: What they are.
        columns: The names of the columns; the first is that of the layers.
        rows: A name and as many texts as there are other columns.
        more: How many rows are not shown.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


def tables_of(facts: Mapping[str, Any]) -> Iterator[Table]:
    """The tables of a step.

    Args:
        facts: Its own in a `compression.json`.
    """
    if filters := part_of(facts, "filters"):
        known = [(layer, pair) for layer, pair in filters.items() if isinstance(pair, list)]
        known.sort(key=lambda item: -(number_of(item[1][0]) or 0.0) if item[1] else 0.0)
        pairs = [(layer, *(count_text(number_of(count)) for count in pair)) for layer, pair in known]
        yield _table("Filters of the layers that have lost some", ("layer", "before", "after"), pairs)
    if storage := entries_of(facts, "storage"):
        yield _table(
            "Kernels in the storage format of Deep Compression (Han et al., 2016, table 2), and in a .tkz file",
            ("layer", "not 0", "bits of a value, coded", "bits of a distance, coded", "of float32", "coded", ".tkz"),
            [_stored(row) for row in sorted(storage, key=lambda row: -(number_of(row.get("values")) or 0.0))],
        )
    if weights := entries_of(facts, "weights"):
        ordered = sorted(weights, key=lambda one: -(number_of(one.get("estimated_bytes")) or 0.0))
        yield _table(
            "Weights that are a step times integers",
            ("weight", "step", "values", "not 0", "bytes, estimated", "in a .tkz file"),
            [_on_grid(one) for one in ordered],
        )


def _table(caption: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    return Table(caption, columns, tuple(rows[:MOST_ROWS]), max(0, len(rows) - MOST_ROWS))


def _stored(row: Mapping[str, Any]) -> tuple[str, ...]:
    def pair(name: str) -> str:
        return f"{_decimal(row.get(name))}, {_decimal(row.get(f'coded_{name}'))}"

    shares = (f"{_decimal(row.get(name))}%" for name in ("kept_percent", "rate_percent", "coded_rate_percent"))
    kept, plain, coded = shares
    size = count_text(number_of(row.get("tkz_bytes")))
    return str(row.get("layer", "")), kept, pair("weight_bits"), pair("index_bits"), plain, coded, f"{size} B"


def _on_grid(one: Mapping[str, Any]) -> tuple[str, ...]:
    step = number_of(one.get("step"))
    counts = (count_text(number_of(one.get(name))) for name in ("size", "nonzeros", "estimated_bytes", "tkz_bytes"))
    return f"{one.get('layer', '')}/{one.get('weight', '')}", NOTHING if step is None else f"{step:.3g}", *counts


def _decimal(value: Any) -> str:
    number = number_of(value)
    return NOTHING if number is None else f"{number:g}"

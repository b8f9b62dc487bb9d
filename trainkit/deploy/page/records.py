"""What a run and a deploy have written down; a file that is not there or not whole says nothing."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


def read_record(filepath: Path) -> dict[str, Any]:
    """The JSON object that a file holds, or an empty one."""
    with suppress(OSError, ValueError):
        value = json.loads(filepath.read_text(encoding="utf-8"))
        if isinstance(value, dict):
            return value
    return {}


def read_text(filepath: Path) -> str:
    """What a text file holds, or nothing."""
    with suppress(OSError, ValueError):
        return filepath.read_text(encoding="utf-8")
    return ""


def read_columns(filepath: Path) -> dict[str, list[float]]:
    """The columns of a `history.csv`; what is no number is NaN."""
    columns: dict[str, list[float]] = {}
    with suppress(OSError, ValueError, csv.Error), filepath.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            for name, cell in row.items():
                if name is not None:
                    columns.setdefault(name, []).append(_number(cell))
    return columns


def part_of(record: Any, *keys: str) -> dict[str, Any]:
    """A mapping inside mappings; an empty one where it is none."""
    for key in keys:
        record = record.get(key) if isinstance(record, Mapping) else None
    return dict(record) if isinstance(record, Mapping) else {}


def entries_of(record: Any, key: str) -> list[dict[str, Any]]:
    """The mappings in a list inside a mapping; those that are none are left out."""
    found = record.get(key) if isinstance(record, Mapping) else None
    return [dict(entry) for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


def number_of(value: Any) -> float | None:
    """A finite number, or None."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return math.nan

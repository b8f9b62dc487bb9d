"""The columns of a CSV file: its cells as numbers and texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import chain, compress
from typing import Literal, NamedTuple

import numpy as np

from trainkit.data.columns import ArrayColumn
from trainkit.data.csv_table import CsvTable
from trainkit.data.fields import Field
from trainkit.data.records import Records
from trainkit.errors import DataError, shown

MISSING = frozenset({"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?"})
"""A cell without a value, as R, pandas, SQL and the UCI repository write it; spaces around it do not count."""

_EXACT = 2**24  # the largest whole number up to which float32 has all

Missing = Literal["fail", "drop", "keep"]
"""What becomes of a row with a missing value."""


class _Values(NamedTuple):
    """A column: its values, which of them are missing, and the reason why a row cannot be used."""

    array: np.ndarray
    missing: np.ndarray
    wrong: dict[int, str]


def is_numeric(table: CsvTable, name: str) -> bool:
    """Whether each cell of a column is missing or a number: `3`, `-0.5`, `1e-3`, spaces around it or not."""
    return all(
        _fast_numbers(cells) is not None or all(_is_missing(cell) or _is_number(cell) for cell in cells)
        for cells in table.cells(name)
    )


def make_records(table: CsvTable, *, texts: Collection[str], missing: Missing) -> Records:
    """Read the columns of a table.

    Args:
        table: The cells.
        texts: The columns of texts; all others are numbers.
        missing: Whether a row with a missing value is bad (`fail`) or left out (`drop`), or has NaN for a missing
            number and `""` for a missing text (`keep`).

    Returns:
        A column for each of the table's; numbers are float32.

    Raises:
        DataError: If no row is left.
    """
    read = {name: _texts(table, name) if name in texts else _numbers(table, name) for name in table.names}
    rows = _kept_rows(table, read) if missing == "drop" else np.arange(len(table.lines))
    origin = _make_origin(table.filepath.name, table.lines[rows])
    fields = {name: Field((), "string" if name in texts else "float32") for name in table.names}
    columns = {
        name: ArrayColumn(
            values.array[rows],
            fields[name],
            origin=origin,
            missing=missing == "keep",
            known_bad=_only(_bad_cells(table, name, values, missing), rows),
        )
        for name, values in read.items()
    }
    return Records(columns, bad=_only(_ragged(table), rows))


def _bad_cells(table: CsvTable, name: str, values: _Values, missing: Missing) -> dict[int, str]:
    """The rows whose cell of a column cannot be used: that matters only where the column is."""
    reasons = values.wrong | (_missing_reasons(table, name, values.missing) if missing == "fail" else {})
    return {row: f"column {name!r} {reason}" for row, reason in reasons.items() if row not in table.ragged}


def _only(reasons: Mapping[int, str], rows: np.ndarray) -> dict[int, str]:
    """The reasons of the rows that are kept, by their new index."""
    return {index: reasons[row] for index, row in enumerate(rows.tolist()) if row in reasons}


def _kept_rows(table: CsvTable, read: Mapping[str, _Values]) -> np.ndarray:
    """The rows that miss no value; ragged ones are bad instead."""
    without_value = np.any([values.missing for values in read.values()], axis=0)
    without_value[list(table.ragged)] = False
    if without_value.all():
        raise DataError(
            f"{table.filepath} must have a row without a missing value. Received: {len(table.lines):,} rows, none "
            "complete. Leave out the columns that are seldom filled, or set `missing: keep`."
        )
    return np.flatnonzero(~without_value)


def _ragged(table: CsvTable) -> dict[int, str]:
    return {
        row: f"{table.filepath.name}, line {table.lines[row]}: must have {len(table.names)} cells, one a column. "
        f"Received: {count}. Mend the row; a cell that holds the delimiter needs quotes."
        for row, count in table.ragged.items()
    }


def _missing_reasons(table: CsvTable, name: str, missing: np.ndarray) -> dict[int, str]:
    if not missing.any():
        return {}
    cells = enumerate(chain.from_iterable(table.cells(name)))
    return {
        row: f"must have a value. Received: {cell!r}. Fill it in, or set `missing: drop` or `missing: keep`."
        for row, cell in compress(cells, missing.tolist())
    }


def _numbers(table: CsvTable, name: str) -> _Values:
    array = np.empty(len(table.lines), np.float64)
    missing = np.zeros(len(array), bool)
    wrong = {}
    start = 0
    for cells in table.cells(name):
        numbers = _fast_numbers(cells)
        block = array[start : start + len(cells)]
        block[:] = [_number(cell) for cell in cells] if numbers is None else numbers
        with np.errstate(over="ignore"):  # 1e39 is infinite in 32 bits, and so reported
            finite = np.isfinite(block.astype(np.float32))
        for index in np.flatnonzero(~finite).tolist():
            missing[start + index] = _is_missing(cells[index])
            if not missing[start + index]:
                wrong[start + index] = _why_wrong(cells[index])
        start += len(cells)
    return _Values(_as_small_as_exact(array), missing, wrong)


def _as_small_as_exact(array: np.ndarray) -> np.ndarray:
    """Numbers as float32, unless whole ones are too large for it: an id would become another."""
    with np.errstate(over="ignore", invalid="ignore"):
        large = (np.abs(array) > _EXACT) & (array == np.floor(array)) & (array.astype(np.float32) != array)
        return array if large.any() else array.astype(np.float32)


def _why_wrong(cell: str) -> str:
    if _is_number(cell):
        return f"must be a finite number of 32 bits. Received: {shown(cell)}."
    return (
        f"must be a number, as in the training file. Received: {shown(cell)}. Mend it, or name the column in "
        "`categorical`."
    )


def _texts(table: CsvTable, name: str) -> _Values:
    array = np.empty(len(table.lines), object)
    known = _KnownTexts()
    start = 0
    for cells in table.cells(name):
        array[start : start + len(cells)] = list(map(known.__getitem__, cells))
        start += len(cells)
    return _Values(array, array == "", {})


class _KnownTexts(dict[str, str]):
    """From a cell to its text; the same object for the same text, so that a class takes the memory of one."""

    def __missing__(self, cell: str) -> str:
        self[cell] = text = "" if _is_missing(cell) else cell
        return text


def _fast_numbers(cells: list[str]) -> np.ndarray | None:
    """The cells as numbers, None where they are not all plain ones."""
    if "_" in "".join(cells):
        return None
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None


def _number(cell: str) -> float:
    return float(cell) if _is_number(cell) else float("nan")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # 1_000 is a number in Python alone


def _is_missing(cell: str) -> bool:
    return cell.strip() in MISSING


def _make_origin(name: str, lines: np.ndarray) -> Callable[[int], str]:
    return lambda row: f"{name}, line {lines[row]}"

"""Tables in CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from trainkit.data.csv_columns import is_numeric, make_records
from trainkit.data.csv_table import CsvTable, read_table
from trainkit.data.records import Source, Splits
from trainkit.errors import DataError
from trainkit.registry import did_you_mean


def csv(
    *,
    path: Path,
    test: Path | None = None,
    validation: Path | None = None,
    categorical: list[str] | None = None,
    missing: Literal["fail", "drop", "keep"] = "fail",
    delimiter: str = ",",
) -> Source:
    """Rows of CSV files, UTF-8, whose first line names the columns.

    A column is one of numbers if each of its cells in the training file is a number or missing, else one of texts.
    A value is missing if its cell is empty or says `NA`, `N/A`, `n/a`, `NaN`, `nan`, `NULL`, `null`, `None` or `?`.

    Args:
        path: The training file.
        test: The test file, of the same columns in any order.
        validation: The validation file, of the same columns in any order.
        categorical: Columns of numbers that are to be read as texts: a year, a postcode.
        missing: Whether a row with a missing value is bad (`fail`) or left out (`drop`), or has NaN for a missing
            number and an empty text for a missing text (`keep`).
        delimiter: What stands between two cells.

    Returns:
        A column for each of the file's, shape `(rows,)`: numbers as float32, texts as they are written.

    Raises:
        DataError: If a file cannot be read, the files have different columns, or `categorical` names none of them.
    """
    train = read_table(path, delimiter=delimiter)
    for name in categorical or []:
        if name not in train.names:
            raise DataError(
                f"`categorical` must name columns of {path}: {', '.join(train.names)}. Received: {name!r}."
                f"{did_you_mean(name, train.names)}"
            )
    tables = Splits(
        train,
        None if validation is None else _read_like(train, validation, delimiter),
        None if test is None else _read_like(train, test, delimiter),
    )
    texts = {name for name in train.names if name in (categorical or []) or not is_numeric(train, name)}
    parts = {role: make_records(table, texts=texts, missing=missing) for role, table in tables.present.items()}
    notes = [
        f"{len(table.lines) - parts[role].size:,} of {len(table.lines):,} rows of {table.filepath.name} miss a value "
        "in some column and were dropped"
        for role, table in tables.present.items()
        if len(table.lines) > parts[role].size
    ]
    return Splits(parts["train"], parts.get("validation"), parts.get("test"), tuple(notes))


def _read_like(train: CsvTable, filepath: Path, delimiter: str) -> CsvTable:
    table = read_table(filepath, delimiter=delimiter)
    lacking = [f"no {name!r}" for name in train.names if name not in table.names]
    unknown = [f"{name!r}, which is not there" for name in table.names if name not in train.names]
    if lacking or unknown:
        raise DataError(
            f"{filepath}, line 1: must name the columns of {train.filepath}. Received: {', '.join(lacking + unknown)}."
        )
    return table

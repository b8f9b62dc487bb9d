"""The reader of CSV files: a header, and the cells of each column as they are written."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np

from trainkit.errors import DataError, shown

_ROWS = 2**13  # rows of a block: cells are held as one text a block and column, not as one object each
_BETWEEN = "\0"  # the cells of a block; no text file has it
DELIMITERS = ",;\t|"
"""What stands between two cells in the files that one meets."""
_NO_TEXT = {
    b"PK\x03\x04": "a zip file or a workbook of a spreadsheet",
    b"\x1f\x8b": "a gzip file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


@dataclass(frozen=True)
class CsvTable:
    """The cells of a CSV file.

    Args:
        filepath: The file.
        lines: The line on which each row begins, counted from 1, shape `(rows,)`.
        ragged: Rows with more or fewer cells than the header, each with how many; here all their cells are empty.
        blocks: By name of the column, its cells: one text for every few thousand rows.
    """

    filepath: Path
    lines: np.ndarray
    ragged: Mapping[int, int]
    blocks: Mapping[str, Sequence[str]]

    @property
    def names(self) -> list[str]:
        """The columns, in the order of the header."""
        return list(self.blocks)

    def cells(self, name: str) -> Iterator[list[str]]:
        """The cells of a column, some thousands at a time."""
        for block in self.blocks[name]:
            yield block.split(_BETWEEN)


def read_table(filepath: Path, *, delimiter: str = ",") -> CsvTable:
    """Read a CSV file whose first line names the columns.

    Cells may be quoted with `"`, and then hold delimiters, line ends and doubled quotes. Blank lines are passed over.

    Args:
        filepath: The file, UTF-8 with or without a byte order mark.
        delimiter: What stands between two cells.

    Returns:
        The cells as they are written; rows with more or fewer of them than the header are marked.

    Raises:
        DataError: If it is missing, empty, not UTF-8, or no table; if two columns have one name, or one has none.
    """
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise DataError(
            "`delimiter` must be one character, no quote and no line end. Received: "
            f'delimiter={delimiter!r}. A tab is "\\t", in double quotes.'
        )
    try:
        if not filepath.is_file():
            raise _refusal(filepath, "a directory" if filepath.is_dir() else "no such file", "Check the path.")
        with filepath.open(encoding="utf-8-sig", newline="") as stream:
            return _read(filepath, stream, delimiter)
    except UnicodeDecodeError as error:
        raise _undecodable(filepath) from error
    except OSError as error:
        raise _refusal(filepath, error.strerror or str(error), "Check the file.") from error


def _read(filepath: Path, stream: TextIO, delimiter: str) -> CsvTable:
    rows = _rows(filepath, stream, delimiter)
    line, names = next(rows, (1, []))
    if not names:
        raise _refusal(filepath, "an empty file", "Write it again.")
    _check_names(f"{filepath}, line {line}", names, delimiter)
    blocks: dict[str, list[str]] = {name: [] for name in names}
    lines: list[np.ndarray] = []
    ragged = {}
    while batch := list(islice(rows, _ROWS)):
        for position, (line, cells) in enumerate(batch):
            if len(cells) != len(names):
                ragged[len(lines) * _ROWS + position] = len(cells)
                batch[position] = line, [""] * len(names)
        for name, column in zip(names, zip(*(cells for _, cells in batch), strict=True), strict=True):
            block = _BETWEEN.join(column)
            if block.count(_BETWEEN) >= len(column):
                position = next(index for index, cell in enumerate(column) if _BETWEEN in cell)
                raise _nul(f"{filepath}, line {batch[position][0]}, column {name!r}")
            blocks[name].append(block)
        lines.append(np.array([line for line, _ in batch]))
    if not lines:
        raise _refusal(filepath, "a header alone", "Write a row for each sample.")
    return CsvTable(filepath, np.concatenate(lines), ragged, blocks)


def _rows(filepath: Path, stream: TextIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row that is not blank, with the line on which it begins."""
    reader = csv.reader(stream, delimiter=delimiter, strict=True)  # or a quote left open would swallow rows
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{filepath}, line {line}: must be cells with {delimiter!r} between them, quoted as a whole or not at all. "
            f"Received: {error}. Close every quote, and double those inside a cell."
        ) from error


def _check_names(place: str, names: list[str], delimiter: str) -> None:
    other = next((other for other in DELIMITERS if other != delimiter and other in names[0]), None)
    if len(names) == 1 and other is not None:
        wanted = '"\\t"' if other == "\t" else f"'{other}'"
        raise DataError(
            f"{place}: must name columns with {delimiter!r} between them. Received: one column, {shown(names[0])}; "
            f"set `delimiter: {wanted}`."
        )
    for index, name in enumerate(names):
        if _BETWEEN in name:
            raise _nul(f"{place}, column {index + 1}")
        if not name.strip():
            raise DataError(
                f"{place}, column {index + 1}: must have a name. Received: {name!r}. Name it; if it only counts the "
                "rows, write the file without it (pandas: `index=False`, R: `row.names = FALSE`)."
            )
        if name in names[:index]:
            raise DataError(
                f"{place}, column {index + 1}: must have a name of its own. Received: {name!r}, the name of column "
                f"{names.index(name) + 1} too. Rename one of the two."
            )


def _undecodable(filepath: Path) -> DataError:
    with filepath.open("rb") as stream:
        start = stream.read(4)
        stream.seek(0)
        for number, line in enumerate(stream, 1):
            came = next((what for magic, what in _NO_TEXT.items() if start.startswith(magic)), None)
            try:
                line.decode()
            except UnicodeDecodeError as error:
                around = line[max(error.start - 10, 0) : error.start + 10]
                return DataError(
                    f"{filepath}, line {number}, byte {error.start + 1}: must be UTF-8 text. Received: "
                    f"{came or f'the byte 0x{line[error.start]:02x} in {around!r}'}. Save it as CSV in UTF-8; from "
                    "Latin-1: `iconv -f LATIN1 -t UTF-8`."
                )
    return _refusal(filepath, "a file that changes while it is read", "Try again.")


def _nul(place: str) -> DataError:
    return DataError(
        f"{place}: must be text. Received: a NUL byte. The file is damaged, or UTF-16: save it as CSV in UTF-8."
    )


def _refusal(filepath: Path, came: str, cure: str) -> DataError:
    return DataError(
        f"{filepath} must be a CSV file: a line with the names of the columns, then rows. Received: {came}. {cure}"
    )

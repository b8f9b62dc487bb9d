"""What int8 costs each layer, as a picture."""

from __future__ import annotations

import math
from pathlib import Path

from trainkit.deploy.sensitivity.analysis import LayerSensitivity, Sensitivity
from trainkit.deploy.sensitivity.wording import error_words
from trainkit.deploy.wording import rate_text
from trainkit.models.drawing.fonts import cut_text, text_width
from trainkit.models.drawing.palette import FAINT
from trainkit.models.drawing.picture import Picture, Rectangle, Shape, Text
from trainkit.models.drawing.svg import write_svg
from trainkit.runs import replace_file

_ROW, _BAR, _NAMES, _BARS, _FIGURE, _MARGIN = 44.0, 10.0, 170.0, 420.0, 58.0, 28.0
_SIZE, _SMALL = 11.0, 9.5
_ALONE, _WITHOUT, _WHOLE, _CHOSEN, _GRID = "#b0560f", "#1f5592", "#c0566a", "#f6f8da", "#d5dbe1"
SMALLEST = 1e-4
"""Errors from here on have a bar; its length is that of their logarithm."""


def length_of(error: float | None) -> float:
    """How long the bar of an error is, from 0 to 1.

    Example:
        >>> length_of(1.0), length_of(0.01), length_of(0.0)
        (1.0, 0.5, 0.0)
    """
    return math.log(min(max(error or 0.0, SMALLEST), 1.0) / SMALLEST, 1 / SMALLEST)


def write_picture(filepath: Path, sensitivity: Sensitivity, *, title: str) -> None:
    """Write bars of the error with only this layer in int8, and with all but this one, as SVG.

    Args:
        filepath: Where to write.
        sensitivity: What was measured.
        title: Stands above.
    """
    with replace_file(filepath) as temporary:
        write_svg(paint(sensitivity, title), temporary)


def paint(sensitivity: Sensitivity, title: str) -> Picture:
    """The picture of all layers that were measured by files of their own."""
    rows = [one for one in sensitivity.layers if one.own is not None]
    chosen = set(sensitivity.choice.layers) if sensitivity.choice else set()
    facts = [
        f"error: {error_words(sensitivity)}, on {sensitivity.samples:,} samples, real int8 files run by LiteRT",
        f"all layers int8: {rate_text(sensitivity.integers.error)}",
    ]
    picture = Picture(title, max(_NAMES + _BARS + _FIGURE, text_width(facts[0], _SMALL)) + 2 * _MARGIN)
    picture.shapes += [Text(_MARGIN, _MARGIN + 12, title, 15.0, bold=True)]
    picture.shapes += [
        Text(_MARGIN, _MARGIN + 30 + 15 * at, fact, _SMALL, colour=FAINT) for at, fact in enumerate(facts)
    ]
    top = _MARGIN + 76
    picture.shapes += [*_legend(top - 20), *_grid(top, len(rows), sensitivity.integers.error)]
    for number, row in enumerate(rows):
        picture.shapes += _row(row, top + number * _ROW, is_chosen=row.layer in chosen)
    picture.height = top + len(rows) * _ROW + 30 + _MARGIN
    return picture


def _legend(y: float) -> list[Shape]:
    x, shapes = _MARGIN + _NAMES, list[Shape]()
    labels = {_ALONE: "only this layer int8", _WITHOUT: "all but this layer int8", _WHOLE: "all layers int8"}
    for colour, label in labels.items():
        shapes += [Rectangle(x, y, _BAR, _BAR, colour, colour, 0.0, 2.0), Text(x + 15, y + 9, label, _SMALL)]
        x += 30 + text_width(label, _SMALL)
    shapes += [Rectangle(x, y, _BAR, _BAR, _CHOSEN, FAINT, 0.6, 2.0), Text(x + 15, y + 9, "to be excluded", _SMALL)]
    return shapes


def _grid(top: float, rows: int, whole: float) -> list[Shape]:
    """A line for each power of ten, and one for the error of the whole file."""
    bottom, shapes = top + rows * _ROW, list[Shape]()
    for power in (1e-4, 1e-3, 1e-2, 1e-1, 1.0):
        x = _x(power)
        shapes += [
            Rectangle(x, top, 0.8, bottom - top, _GRID, _GRID, 0.0, 0.0),
            Text(x, bottom + 14, f"{100 * power:g}%", _SMALL, centred=True),
        ]
    if whole > SMALLEST:
        shapes.append(Rectangle(_x(whole) - 1, top, 2, bottom - top, _WHOLE, _WHOLE, 0.0, 0.0, "all layers int8"))
    return shapes


def _row(row: LayerSensitivity, y: float, *, is_chosen: bool) -> list[Shape]:
    shapes = list[Shape]()
    if is_chosen:
        shapes.append(Rectangle(_MARGIN - 8, y + 2, _NAMES - 2, _ROW - 4, _CHOSEN, FAINT, 0.6))
    why = ", ".join(reason.kind for reason in row.reasons) or row.class_name
    shapes += [
        Text(_MARGIN, y + 18, cut_text(row.layer, _SIZE, _NAMES - 20, bold=True), _SIZE, bold=True),
        Text(_MARGIN, y + 32, cut_text(why, _SMALL, _NAMES - 20), _SMALL, colour=FAINT),
    ]
    bars = [(row.alone.error if row.alone else row.own, _ALONE, "alone")]
    bars += [(row.without.error, _WITHOUT, "all but this one")] if row.without else []
    for number, (error, colour, told) in enumerate(bars):
        length, level = max(_x(error) - _x(SMALLEST), 1.5), y + 9 + number * (_BAR + 4)
        shapes += [
            Rectangle(_x(SMALLEST), level, length, _BAR, colour, colour, 0.0, 2.0, f"{row.layer}, {told}"),
            Text(_x(SMALLEST) + length + 5, level + 9, rate_text(error), _SMALL),
        ]
    return shapes


def _x(error: float | None) -> float:
    return _MARGIN + _NAMES + _BARS * length_of(error)

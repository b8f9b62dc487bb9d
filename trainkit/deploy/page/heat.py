"""A confusion matrix: as levels for the cells of a table, or as a picture where there are many classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

LEVELS = 6
MOST_CELLS = 20
"""Classes of the largest matrix that is a table."""
CELL = 7
MOST_DRAWN, MOST_NAMED = 4_000, 1_000
"""Cells of the largest picture, and of the largest whose cells say what they are."""


def heat_levels(matrix: Sequence[Sequence[int]]) -> list[list[str]]:
    """The class of each cell: `d1` to `d6` for right answers, by their share, `e1` to `e6` for wrong ones, by how many
    there are beside the most.

    Example:
        >>> heat_levels([[4, 0], [1, 3]])
        [['d6', ''], ['e6', 'd5']]
    """
    most = max(
        (count for true, row in enumerate(matrix) for given, count in enumerate(row) if true != given), default=0
    )
    return [
        [_level(count, sum(row), most, is_right=true == given) for given, count in enumerate(row)]
        for true, row in enumerate(matrix)
    ]


def _level(count: int, support: int, most: int, *, is_right: bool) -> str:
    if not count:
        return ""
    share = count / support if is_right else math.log1p(count) / math.log1p(most)
    return f"{'d' if is_right else 'e'}{max(1, math.ceil(LEVELS * share - 1e-9))}"


def draw_heat(matrix: Sequence[Sequence[int]], classes: Sequence[str], told: str) -> Markup:
    """The same as a picture; a pointer over a cell is told what it is.

    Args:
        matrix: Counts, a row a true class, a column an answer.
        classes: Their names.
        told: What it shows, for who does not see it.

    Returns:
        An `svg` element; nothing where it would be too large.
    """
    size, levels = CELL * len(matrix), heat_levels(matrix)
    used = sum(bool(level) for row in levels for level in row)
    if used > MOST_DRAWN:
        return Markup("")
    cells = [
        f'<rect class="{level}" x="{CELL * given}" y="{CELL * true}" width="{CELL}" height="{CELL}">'
        f"{_told(classes[true], classes[given], matrix[true][given]) if used <= MOST_NAMED else ''}</rect>"
        for true, row in enumerate(levels)
        for given, level in enumerate(row)
        if level
    ]
    head = f'<svg class="heat" viewBox="0 0 {size} {size}" role="img" aria-label="{escape(told)}">'
    return Markup(
        f'{head}<title>{escape(told)}</title><rect class="none" width="{size}" height="{size}"/>{"".join(cells)}</svg>'
    )


def _told(true: str, given: str, count: int) -> str:
    return f"<title>{escape(true)} → {escape(given)}: {count:,}</title>"

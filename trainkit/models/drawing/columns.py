"""What is too tall is cut between its rows, and the pieces stand side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from trainkit.models.drawing.channel import TRACK
from trainkit.models.drawing.items import Item, Point, Wire

APART = 44.0
"""Between columns, besides the wires that run there."""
_BELOW, _BEFORE = 6.0, 12.0
"""From the row above a cut to it, or from a cut to the row below: no wire turns there."""
_JOG = 40.0
"""Between a step sideways and a cut in the same gap there is less."""
_COST, _COST_OF_MANY = 0.3, 0.08
"""How far from the best place, in heights of a column, a cut may be for one wire less that crosses it."""
_MOST_WIRES = 2
"""More wires that run from column to column are followed badly: then there are two columns at most."""


@dataclass(frozen=True)
class Cut:
    """A cut from side to side.

    Args:
        y: Where.
        places: The wires that cross it, each once for all that it carries: its call and where it crosses.
    """

    y: float
    places: tuple[tuple[int | None, int], ...]

    def rank(self, wire: Wire, x: float) -> int:
        """The place of a wire among those that cross, from the right."""
        return len(self.places) - 1 - self.places.index((wire.net, round(x)))


@dataclass(frozen=True)
class _Column:
    top: float
    bottom: float
    left: float
    right: float


def into_columns(items: Sequence[Item], wires: Sequence[Wire], *, tall: float) -> None:
    """Cut what is taller than `tall` into as many columns as bring it nearest to a square.

    Args:
        items: Of one frame, in their places; they get new ones.
        wires: Of that frame, with their whole ways; they get new ones.
        tall: Lower frames stay as they are.
    """
    bounds = [item.bounds for item in items]
    height = max(bound[3] for bound in bounds) - min(bound[1] for bound in bounds)
    width = max(bound[2] for bound in bounds) - min(bound[0] for bound in bounds) + APART
    count = round((height / width) ** 0.5)
    if height <= tall or count < 2:
        return
    top, cuts = min(bound[1] for bound in bounds), list(_cuts(bounds, wires))
    easy = [cut for cut in cuts if len(cut.places) <= _MOST_WIRES]
    if chosen := _choose(easy, top, height, count, _COST) or _choose(cuts, top, height, 2, _COST_OF_MANY):
        _Fold(items, wires, chosen).apply()


def _cuts(bounds: Sequence[tuple[float, float, float, float]], wires: Sequence[Wire]) -> Iterator[Cut]:
    """All cuts that pass through no item and along no wire."""
    bottom = float("inf")
    for _, top, _, low in sorted(bounds, key=lambda bound: bound[1]):
        levels = (top - _BEFORE, bottom + _BELOW) if top - bottom > _BEFORE + _BELOW else ()
        found = [Cut(y, places) for y in levels if (places := _crossing(wires, y)) is not None]
        if found:
            yield min(found, key=lambda cut: len(cut.places))  # where wires split or meet, the side that has fewer
        bottom = low if bottom == float("inf") else max(bottom, low)


def _crossing(wires: Sequence[Wire], y: float) -> tuple[tuple[int | None, int], ...] | None:
    """The wires that cross a level, from left to right; None where one runs along it."""
    found: dict[tuple[int | None, int], None] = {}
    for wire in wires:
        for (x, above), (_, below) in pairwise(wire.points):
            if above == below and abs(above - y) < _BELOW - 1:
                return None
            if above < y < below:
                found[wire.net, round(x)] = None
    return tuple(sorted(found, key=lambda place: place[1]))


def _choose(cuts: Sequence[Cut], top: float, height: float, count: int, cost: float) -> list[Cut]:
    """Cuts that make columns of about one height and cross few wires."""
    chosen: dict[float, Cut] = {}
    for number in range(1, count):
        best = top + height * number / count
        near = [cut for cut in cuts if abs(cut.y - best) < height / count / 2]
        if near:
            cut = min(near, key=lambda cut: abs(cut.y - best) + cost * height / count * len(cut.places))
            chosen[cut.y] = cut
    return [chosen[y] for y in sorted(chosen)]


class _Fold:
    """Moves the pieces between cuts side by side, and leads the wires from each to the next."""

    def __init__(self, items: Sequence[Item], wires: Sequence[Wire], cuts: Sequence[Cut]) -> None:
        self.items, self.wires, self.cuts = items, wires, cuts
        limits = [float("-inf"), *(cut.y for cut in cuts), float("inf")]
        self.columns = [self._column(top, bottom) for top, bottom in pairwise(limits)]
        self.above = max(len(cut.places) for cut in cuts) * TRACK
        self.shifts = [(0.0, self.above)]
        for column, after, cut in zip(self.columns, self.columns[1:], cuts, strict=False):
            gutter = APART + (len(cut.places) - 1) * TRACK
            right = column.right + self.shifts[-1][0]
            self.shifts.append((right + gutter - after.left, self.above - cut.y + self.columns[0].top))

    def _column(self, top: float, bottom: float) -> _Column:
        bounds = [item.bounds for item in self.items if top < item.y < bottom]
        passing = [
            x
            for wire in self.wires
            for (x, y), (_, other) in pairwise(wire.points)
            if min(y, other) < bottom and max(y, other) > top
        ]
        return _Column(
            min(bound[1] for bound in bounds),
            max(bound[3] for bound in bounds),
            min([bound[0] for bound in bounds] + passing),
            max([bound[2] for bound in bounds] + passing),
        )

    def apply(self) -> None:
        """Move everything."""
        for wire in self.wires:
            wire.points = self._way(wire)
        for item in self.items:
            dx, dy = self.shifts[self._number(item.y)]
            item.place(item.x + dx, item.y + dy)
        low = max(column.bottom + dy for column, (_, dy) in zip(self.columns, self.shifts, strict=True))
        low += max(len(cut.places) for cut in self.cuts) * TRACK
        for wire in self.wires:
            if wire.target is None:
                wire.points[-1] = wire.points[-1][0], low
            if wire.source is None:
                wire.points[0] = wire.points[0][0], self.columns[0].top

    def _number(self, y: float) -> int:
        return sum(cut.y < y for cut in self.cuts)

    def _way(self, wire: Wire) -> list[Point]:
        """The points of a wire, with its way from column to column at every cut."""
        way = [self._moved(wire.points[0])]
        for (x, y), after in pairwise(wire.points):
            for number, cut in enumerate(self.cuts):
                if y < cut.y < after[1]:
                    turned = self._turn(number, wire, x)
                    if len(cut.places) == 1 and _is_jog(way, turned[0]):
                        way.pop()  # it turns where it stood before it went sideways: to go there and back says nothing
                        turned[0] = way.pop()[0], turned[0][1]
                    way += turned
            way.append(self._moved(after))
        return way

    def _moved(self, point: Point) -> Point:
        dx, dy = self.shifts[self._number(point[1])]
        return point[0] + dx, point[1] + dy

    def _turn(self, number: int, wire: Wire, x: float) -> list[Point]:
        """Down, to the right, up beside the column, and over the top of the next; no two that turn here cross."""
        cut, column = self.cuts[number], self.columns[number]
        rank = cut.rank(wire, x)
        (dx, dy), (next_dx, _) = self.shifts[number : number + 2]
        low = cut.y + dy + _BELOW + rank * TRACK
        between = column.right + dx + APART / 2 + rank * TRACK
        high = self.columns[0].top + self.above - (len(cut.places) - rank) * TRACK
        return [(x + dx, low), (between, low), (between, high), (x + next_dx, high)]


def _is_jog(way: Sequence[Point], turn: Point) -> bool:
    """Whether a way went sideways right before it turns."""
    return len(way) > 1 and abs(way[-1][1] - way[-2][1]) < 0.5 and turn[1] - way[-1][1] < _JOG

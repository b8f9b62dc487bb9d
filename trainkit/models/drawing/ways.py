"""The form of wires: rounded corners, arrow heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import hypot

Point = tuple[float, float]
WIDTH = 1.3
BEND = 6.0
HEAD = 7.0


def rounded(points: Sequence[Point]) -> Iterator[tuple[str, list[Point]]]:
    """A way as commands of a path: `M` and `L` with one point, `Q` with the corner and where it ends.

    Example:
        >>> [command for command, _ in rounded([(0, 0), (0, 50), (50, 50)])]
        ['M', 'L', 'Q', 'L']
    """
    yield "M", [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        bend = min(BEND, _length(before, corner) / 2, _length(corner, after) / 2)
        yield "L", [_towards(corner, before, bend)]
        yield "Q", [corner, _towards(corner, after, bend)]
    yield "L", [points[-1]]


def rest_of_way(points: Sequence[Point], others: Sequence[Sequence[Point]]) -> Sequence[Point]:
    """What is left to draw of a way that begins like others: from right before the corner where it leaves them."""
    common = max((_common(points, other) for other in others), default=0)
    if common < 2 or common == len(points):
        return points
    corner = points[common - 1]
    way = min(BEND, _length(corner, points[common - 2]), _length(corner, points[common]))
    return [_towards(corner, points[common - 2], way), *points[common - 1 :]]


def _common(one: Sequence[Point], other: Sequence[Point]) -> int:
    """How many points two ways have in common at their beginning."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if _length(a, b) > 0.1),
        min(len(one), len(other)),
    )


def head_of(points: Sequence[Point]) -> list[Point]:
    """The corners of the arrow head at the end of a way."""
    (x, y), (ex, ey) = points[-2:]
    length = _length((x, y), (ex, ey)) or 1.0
    dx, dy = (ex - x) / length * HEAD, (ey - y) / length * HEAD
    return [(ex, ey), (ex - dx - dy * 0.42, ey - dy + dx * 0.42), (ex - dx + dy * 0.42, ey - dy - dx * 0.42)]


def shorten(points: Sequence[Point]) -> list[Point]:
    """A way that ends inside its arrow head."""
    return [*points[:-1], _towards(points[-1], points[-2], HEAD * 0.8)]


def _length(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


def _towards(one: Point, other: Point, way: float) -> Point:
    length = _length(one, other) or 1.0
    return one[0] + (other[0] - one[0]) * way / length, one[1] + (other[1] - one[1]) * way / length

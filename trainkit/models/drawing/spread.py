"""The order of nodes in their rows, and how far apart they stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

SWEEPS = 24
_NEAR = 60.0
_STIFF = 12.0
"""How much more than others a wire pulls that passes from row to row: those are to be straight."""


def order_rows(rows: list[list[Any]], steps: Sequence[Any]) -> None:
    """Sort each row so that few wires cross: each node in the middle of those that it is joined to above, then below.

    Args:
        rows: The nodes of each row; the order is changed, and `x` set to stand side by side.
        steps: Wires between neighbouring rows.
    """
    above, below = _neighbours(steps)
    for row in rows:
        _pack(row)
    best, fewest = [list(row) for row in rows], _crossings(steps)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else rows[::-1]:
            joined = above if down else below
            row.sort(key=lambda node: _mean([other.x for other, _, _ in joined[id(node)]], node.x))
            _pack(row)
        if (count := _crossings(steps)) < fewest:
            best, fewest = [list(row) for row in rows], count
    for row, order in zip(rows, best, strict=True):
        row[:] = order
        _pack(row)


def spread_rows(rows: Sequence[Sequence[Any]], steps: Sequence[Any]) -> None:
    """Move nodes sideways, in their order, to where their wires are straightest."""
    above, below = _neighbours(steps)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else rows[::-1]:
            _settle(row, [_pull(node, above[id(node)] + below[id(node)]) for node in row])
    middle = (
        min(node.x - node.left for row in rows for node in row) + max(n.x + n.right for row in rows for n in row)
    ) / 2
    for row in rows:
        for node in row:
            node.x -= middle


def align_rows(rows: Sequence[Sequence[Any]], steps: Sequence[Any]) -> None:
    """Move nodes that nearly stand below one another exactly there, the wires that pass first, where there is room."""
    room: dict[int, tuple[Any, Any]] = {}
    for row in rows:
        ends = [None, *row, None]
        room.update({id(node): (before, after) for before, node, after in zip(ends, ends[1:], ends[2:], strict=False)})
    for lane in _lanes(steps):
        places = [node.x for node in lane]
        for x in [sum(places) / len(places), *places]:
            if all(_fits(node, x, room) for node in lane):
                for node in lane:
                    node.x = x
                break
    for step in sorted(steps, key=lambda step: step.above.row):
        x = step.above.x + step.above.gives(step.wire) - step.below.takes(step.wire)
        if step.below.thing is not None and abs(step.below.x - x) < _NEAR and _fits(step.below, x, room):
            step.below.x = x


def _lanes(steps: Sequence[Any]) -> list[list[Any]]:
    """The wires that pass several rows, each as its nodes."""
    next_of = {id(step.above): step.below for step in steps if step.above.thing is None and step.below.thing is None}
    inner = {id(node) for node in next_of.values()}
    first = {id(step.above): step.above for step in steps if id(step.above) in next_of and id(step.above) not in inner}
    lanes = []
    for node in first.values():
        lanes.append([node])
        while id(lanes[-1][-1]) in next_of:
            lanes[-1].append(next_of[id(lanes[-1][-1])])
    return lanes


def _fits(node: Any, x: float, room: dict[int, tuple[Any, Any]]) -> bool:
    before, after = room[id(node)]
    return (before is None or before.x + before.right + node.left <= x) and (
        after is None or x + node.right + after.left <= after.x
    )


def _neighbours(steps: Sequence[Any]) -> tuple[dict[int, list[Any]], dict[int, list[Any]]]:
    """What each node is joined to above and below: the other node, and how far from its axis it wants to stand."""
    above, below = defaultdict(list), defaultdict(list)
    for step in steps:
        gives, takes = step.above.gives(step.wire), step.below.takes(step.wire)
        stiff = _STIFF if step.above.thing is None and step.below.thing is None else 1.0
        above[id(step.below)].append((step.above, gives - takes, stiff))
        below[id(step.above)].append((step.below, takes - gives, stiff))
    return above, below


def _pull(node: Any, joined: Sequence[tuple[Any, float, float]]) -> tuple[float, float]:
    """Where a node wants to stand, and how much."""
    weight = sum(stiff for _, _, stiff in joined)
    if not weight:
        return node.x, 0.01
    return sum((other.x + away) * stiff for other, away, stiff in joined) / weight, weight


def _settle(row: Sequence[Any], wanted: Sequence[tuple[float, float]]) -> None:
    """The places nearest to those wanted, in the sense of least squares, that keep order and distances."""
    away, offset = 0.0, []
    for index, node in enumerate(row):
        away += (row[index - 1].right + node.left) if index else 0.0
        offset.append(away)
    pools: list[tuple[float, float, int]] = []
    for (place, weight), shift in zip(wanted, offset, strict=True):
        pool = (place - shift, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, mass, count = pools.pop()
            total = mass + pool[1]
            pool = ((mean * mass + pool[0] * pool[1]) / total, total, count + pool[2])
        pools.append(pool)
    places = [mean for mean, _, count in pools for _ in range(count)]
    for node, place, shift in zip(row, places, offset, strict=True):
        node.x = place + shift


def _pack(row: Sequence[Any]) -> None:
    """Stand side by side around the middle."""
    width = sum(node.left + node.right for node in row)
    at = -width / 2
    for node in row:
        node.x = at + node.left
        at += node.left + node.right


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(steps: Sequence[Any]) -> int:
    """How many pairs of wires cross."""
    by_row: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for step in steps:
        by_row[step.above.row].append((step.above.x, step.below.x))
    return sum(
        (upper - other_upper) * (lower - other_lower) < 0
        for pairs in by_row.values()
        for index, (upper, lower) in enumerate(pairs)
        for other_upper, other_lower in pairs[:index]
    )

"""Networks are mostly series and parallels: the parts that a graph is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from trainkit.models.drawing.items import Item, Wire


@dataclass(eq=False)
class Series:
    """Items one below the other.

    Args:
        links: What leads to the first item, from each to the next, and from the last on: one more than items.
        items: From top to bottom.
    """

    links: list[Part]
    items: list[Item]


@dataclass(eq=False)
class Parallel:
    """Ways from one place to another, in the order in which they were found."""

    branches: list[Part]


@dataclass(eq=False)
class Mesh:
    """What is neither: items in rows, and parts between them.

    Args:
        items: In an order in which each comes after what it takes from.
        links: Where each part leads from, None for the beginning; the part; and where to, None for the end.
    """

    items: list[Item]
    links: list[tuple[Item | None, Part, Item | None]]


Part = Wire | Series | Parallel | Mesh
START, END = "start", "end"


class _Graph:
    """Parts between places; a place is an item, or the start, or the end."""

    def __init__(self, wires: Sequence[Wire]) -> None:
        self.parts: dict[int, Part] = {}
        self.ends: dict[int, tuple[Hashable, Hashable]] = {}
        self.after: dict[Hashable, dict[int, None]] = defaultdict(dict)
        self.before: dict[Hashable, dict[int, None]] = defaultdict(dict)
        self.order = {id(wire): place for place, wire in enumerate(wires)}
        self._count = 0
        for wire in wires:
            self.add(wire.source or START, wire, wire.target or END)

    def add(self, source: Hashable, part: Part, target: Hashable) -> None:
        self._count += 1
        self.parts[self._count], self.ends[self._count] = part, (source, target)
        self.after[source][self._count] = self.before[target][self._count] = None

    def take(self, key: int) -> Part:
        source, target = self.ends.pop(key)
        del self.after[source][key], self.before[target][key]
        return self.parts.pop(key)


def decompose(items: Sequence[Item], wires: Sequence[Wire]) -> Part:
    """One part from the start to the end that holds all items.

    Series and parallels are taken together until nothing is left but one part, or a mesh.

    Args:
        items: In an order in which each comes after what it takes from.
        wires: All edges; every item has one that leads to it and one that leads on.
    """
    graph = _Graph(wires)
    waiting: list[Hashable] = [START, *items]
    while waiting:
        place = waiting.pop()
        waiting += _join_parallels(graph, place)
        if isinstance(place, Item) and len(graph.before[place]) == len(graph.after[place]) == 1:
            waiting += _join_series(graph, place)
    if len(graph.parts) == 1:
        return next(iter(graph.parts.values()))
    left = [item for item in items if graph.after[item]]
    return Mesh(
        left, [(_item(source), graph.parts[key], _item(target)) for key, (source, target) in graph.ends.items()]
    )


def _item(place: Hashable) -> Item | None:
    return place if isinstance(place, Item) else None


def _join_parallels(graph: _Graph, place: Hashable) -> list[Hashable]:
    """Take parts that lead from a place to the same other one together; returns the places that they lead to."""
    joined = []
    by_target: dict[Hashable, list[int]] = {}
    for key in graph.after[place]:
        by_target.setdefault(graph.ends[key][1], []).append(key)
    for target, keys in by_target.items():
        if len(keys) > 1:
            branches = [branch for key in keys for branch in _branches(graph.take(key))]
            graph.add(place, Parallel(sorted(branches, key=lambda branch: graph.order[id(_last_wire(branch))])), target)
            joined.append(target)
    return joined


def _join_series(graph: _Graph, item: Item) -> list[Hashable]:
    """Take an item and what leads to it and on together; returns the places that may be joined next."""
    (first,), (second,) = graph.before[item], graph.after[item]
    source, target = graph.ends[first][0], graph.ends[second][1]
    before, after = graph.take(first), graph.take(second)
    (links, items), (more_links, more_items) = _flat(before), _flat(after)
    graph.add(source, Series([*links, *more_links], [*items, item, *more_items]), target)
    return [source, target]


def _last_wire(part: Part) -> Wire:
    """The wire that leads to the end of a part."""
    return list(wires_of(part))[-1]


def _branches(part: Part) -> list[Part]:
    return part.branches if isinstance(part, Parallel) else [part]


def _flat(part: Part) -> tuple[list[Part], list[Item]]:
    return (part.links, part.items) if isinstance(part, Series) else ([part], [])


def wires_of(part: Part) -> Iterator[Wire]:
    """The wires of a part."""
    match part:
        case Wire():
            yield part
        case Series():
            for link in part.links:
                yield from wires_of(link)
        case Parallel():
            for branch in part.branches:
                yield from wires_of(branch)
        case Mesh():
            for _, link, _ in part.links:
                yield from wires_of(link)


def weight_of(part: Part) -> int:
    """How many boxes a part holds."""
    match part:
        case Series():
            return sum(item.boxes for item in part.items) + sum(map(weight_of, part.links))
        case Parallel():
            return sum(map(weight_of, part.branches))
        case Mesh():
            return sum(item.boxes for item in part.items) + sum(weight_of(link) for _, link, _ in part.links)
        case _:
            return 0

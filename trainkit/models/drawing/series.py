"""Items one below the other, with what leads from each to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trainkit.models.drawing.channel import Channel, Pin
from trainkit.models.drawing.items import Box, Item, Wire
from trainkit.models.drawing.laid import End, Laid
from trainkit.models.drawing.parts import Part, Series


@dataclass
class Row:
    """An item of a series and what leads to it.

    Args:
        item: The item; None for the end of the series.
        fork: From the item before to the link; None if the link is one wire, or the first.
        link: What stands between; None for one wire.
        join: From the link to the item; None for the first, if that is one wire, and for the end.
    """

    item: Item | None
    fork: Channel | None
    link: Laid | None
    join: Channel | None

    @property
    def height(self) -> float:
        """From the bottom of the item before to the bottom of this one."""
        parts = (self.fork, self.link, self.join, self.item)
        return sum(part.height for part in parts if part is not None)

    @property
    def left(self) -> float:
        """From the axis to the left end."""
        return max((part.left for part in (self.link, self.item) if part is not None), default=0.0)

    @property
    def right(self) -> float:
        """From the axis to the right end."""
        return max((part.right for part in (self.link, self.item) if part is not None), default=0.0)

    def place(self, x: float, y: float) -> float:
        """Place everything: the axis at `x`, the top at `y`; returns the bottom."""
        if self.fork is not None:
            self.fork.place(x, y)
            y += self.fork.height
        if self.link is not None:
            self.link.place(x, y, self.link.height)
            y += self.link.height
        if self.join is not None:
            self.join.place(x, y)
            y += self.join.height
        if self.item is not None:
            self.item.place(x, y)
            y += self.item.height
        return y


@dataclass
class LaidSeries(Laid):
    """Items one below the other."""

    rows: list[Row]

    def place(self, x: float, y: float, height: float) -> None:
        """See `Laid`."""
        for row in self.rows:
            y = row.place(x, y)


def lay_series(part: Series, lay: Callable[[Part], Laid]) -> LaidSeries:
    """Give the items of a series their places.

    Args:
        part: The series.
        lay: Lays a part that leads from one item to the next.
    """
    befores, items = [None, *part.items], [*part.items, None]
    rows = [
        _row(before, link, None if isinstance(link, Wire) else lay(link), item)
        for before, link, item in zip(befores, part.links, items, strict=True)
    ]
    return LaidSeries(
        left=max(row.left for row in rows),
        right=max(row.right for row in rows),
        height=sum(row.height for row in rows),
        heads=_heads(part.links[0], rows[0]),
        feet=_feet(part.links[-1], rows[-1], part.items[-1]),
        rows=rows,
    )


def _row(before: Item | None, link: Part, laid: Laid | None, item: Item | None) -> Row:
    if laid is None:
        assert isinstance(link, Wire)
        if before is None or item is None:
            return Row(item, None, None, None)
        return Row(item, None, None, Channel.of([Pin(link, before.exit(link.net), item.entry(link.net))]))
    fork = Channel.of([Pin(wire, before.exit(wire.net), x) for wire, x in laid.heads]) if before is not None else None
    return Row(item, fork, laid, _join(laid, item) if item is not None else None)


def _join(laid: Laid, item: Item) -> Channel:
    """From branches to what takes them; a lone wire that passes on the right comes in at the side of a box."""
    feet = [(wire, x) for wire, x in laid.feet if wire.net is not None]
    wire, x = max(feet, key=lambda foot: foot[1])
    passes = any(wire is other for other, _ in laid.heads)
    wire.to_side = passes and isinstance(item, Box) and x > item.right and len(feet) == 2
    return Channel.of([Pin(one, at, item.entry(one.net)) for one, at in feet if not one.to_side])


def _heads(link: Part, row: Row) -> list[End]:
    if row.link is not None:
        return row.link.heads
    assert isinstance(link, Wire)
    assert row.item is not None
    return [(link, row.item.entry(link.net))]


def _feet(link: Part, row: Row, last: Item) -> list[End]:
    if row.link is not None:
        return row.link.feet
    assert isinstance(link, Wire)
    return [(link, last.exit(link.net))]

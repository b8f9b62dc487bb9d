"""The space between two rows: wires change their column there, each on a track of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trainkit.models.drawing.items import Wire

GAP = 26.0
"""Height of a channel whose wires go straight down."""
TRACK = 9.0
ABOVE, BELOW = 13.0, 19.0
"""From the row above to the first track, and from the last track to the row below: room for an arrow head."""
APART = 6.0


@dataclass
class Pin:
    """A wire that crosses a channel.

    Args:
        wire: The wire.
        above: Where it comes from, from the axis.
        below: Where it goes on.
    """

    wire: Wire
    above: float
    below: float


@dataclass
class Channel:
    """Wires between two rows.

    Args:
        pins: The wires that cross it.
        height: What it takes.
        tracks: Which track each wire is on; None for one that goes straight down.
    """

    pins: list[Pin]
    height: float = GAP
    tracks: list[int | None] = field(default_factory=list)

    @classmethod
    def of(cls, pins: Sequence[Pin]) -> Channel:
        """Give every wire that changes its column a track.

        Wires that come from one place, or go to one, share a track: they are drawn as a tree. The others are ordered
        so that as few as possible cross.
        """
        channel = cls([pin for pin in pins if pin.wire.net is not None])
        track_of = _tracks([tree for tree in _trees(channel.pins) if _is_bent(tree)])
        channel.tracks = [track_of.get(id(pin)) for pin in channel.pins]
        count = 1 + max((track for track in channel.tracks if track is not None), default=-1)
        channel.height = max(GAP, ABOVE + (count - 1) * TRACK + BELOW) if count else GAP
        return channel

    def place(self, x: float, y: float) -> None:
        """Lead the wires through the channel, whose top is at `y` and whose axis at `x`."""
        for pin in self.pins:
            self.place_wire(pin.wire, x, y)

    def place_wire(self, wire: Wire, x: float, y: float) -> None:
        """Lead one of the wires through."""
        for pin, track in zip(self.pins, self.tracks, strict=True):
            if pin.wire is wire and track is not None:
                level = y + ABOVE + track * TRACK
                wire.points += [(x + pin.above, level), (x + pin.below, level)]


def _trees(pins: Sequence[Pin]) -> list[list[Pin]]:
    """The wires in groups of those that share an end."""
    trees: list[list[Pin]] = []
    for pin in pins:
        joined = [tree for tree in trees if any(_is_joined(pin, other) for other in tree)]
        trees = [tree for tree in trees if tree not in joined]
        trees.append([pin, *(other for tree in joined for other in tree)])
    return trees


def _is_joined(pin: Pin, other: Pin) -> bool:
    one_source = pin.wire.net == other.wire.net and abs(pin.above - other.above) < 1
    return one_source or (pin.wire.target is other.wire.target and abs(pin.below - other.below) < 1)


def _is_bent(tree: Sequence[Pin]) -> bool:
    return any(abs(pin.above - pin.below) >= 0.5 for pin in tree)


def _tracks(trees: Sequence[Sequence[Pin]]) -> dict[int, int]:
    """The track of every wire: first those that lead right, from right to left."""
    placed: list[tuple[float, float, int]] = []
    found: dict[int, int] = {}
    for tree in sorted(trees, key=_turn):
        ends = [end for pin in tree for end in (pin.above, pin.below)]
        low, high = min(ends) - APART, max(ends) + APART
        track = 1 + max((other for left, right, other in placed if left < high and low < right), default=-1)
        placed.append((low, high, track))
        found.update({id(pin): track for pin in tree})
    return found


def _turn(tree: Sequence[Pin]) -> tuple[bool, float]:
    above = sum(pin.above for pin in tree) / len(tree)
    leads_left = sum(pin.below for pin in tree) / len(tree) < above
    return leads_left, above if leads_left else -above

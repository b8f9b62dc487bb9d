"""Parts of a network with a place for everything in them, around an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from trainkit.models.drawing.items import Wire

LANE = 14.0
"""Width of a wire that passes beside boxes."""
BESIDE = 26.0
"""Between boxes that stand side by side."""

End = tuple[Wire, float]
"""A wire that leads out of a part, and where, from the axis."""


@dataclass
class Laid:
    """What has a place of its own: extents around the axis, and the wires that lead in and out.

    Args:
        left: From the axis to the left end.
        right: From the axis to the right end.
        height: From top to bottom.
        heads: The wires that come in at the top.
        feet: The wires that go out at the bottom.
    """

    left: float
    right: float
    height: float
    heads: list[End]
    feet: list[End]

    def place(self, x: float, y: float, height: float) -> None:
        """Give everything its place: the axis at `x`, the top at `y`; there may be more height than is needed."""


def lane(wire: Wire) -> Laid:
    """A wire that passes."""
    width = LANE / 2 if wire.net is not None else 0.0
    return Laid(width, width, 0.0, [(wire, 0.0)], [(wire, 0.0)])


@dataclass
class LaidParallel(Laid):
    """Branches side by side.

    Args:
        branches: From left to right, each with the place of its axis.
    """

    branches: list[tuple[Laid, float]]

    @classmethod
    def of(cls, branches: Sequence[Laid], main: int | None) -> LaidParallel:
        """Put branches side by side.

        Args:
            branches: From left to right.
            main: The one that stands on the axis; None for an axis in the middle of those that hold boxes.
        """
        axes = [branches[0].left]
        for before, after in pairwise(branches):
            both_pass = before.height == after.height == 0
            axes.append(axes[-1] + before.right + (0.0 if both_pass else BESIDE / 2) + after.left)
        axis = _middle(branches, axes) if main is None else axes[main]
        placed = [(branch, at - axis) for branch, at in zip(branches, axes, strict=True)]
        return cls(
            left=max(branch.left - at for branch, at in placed),
            right=max(branch.right + at for branch, at in placed),
            height=max(branch.height for branch in branches),
            heads=[(wire, at + x) for branch, at in placed for wire, x in branch.heads],
            feet=[(wire, at + x) for branch, at in placed for wire, x in branch.feet],
            branches=placed,
        )

    def place(self, x: float, y: float, height: float) -> None:
        """See `Laid`; a short branch that begins here stands low, near what takes it."""
        for branch, at in self.branches:
            begins = all(wire.net is None for wire, _ in branch.heads)
            ends = all(wire.net is None for wire, _ in branch.feet)
            down = height - branch.height if begins and not ends else 0.0
            branch.place(x + at, y + down, branch.height)


def _middle(branches: Sequence[Laid], axes: Sequence[float]) -> float:
    """The axis of the middle one of the branches that hold boxes, or the middle of the two."""
    with_boxes = [index for index, branch in enumerate(branches) if branch.height] or list(range(len(branches)))
    low, high = with_boxes[(len(with_boxes) - 1) // 2], with_boxes[len(with_boxes) // 2]
    if low == high:
        return axes[low]
    first, last = with_boxes[0], with_boxes[-1]
    return (axes[first] - branches[first].left + axes[last] + branches[last].right) / 2

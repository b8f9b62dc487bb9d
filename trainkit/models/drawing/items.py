"""What is drawn of a model: boxes of layers in frames of blocks, and who takes what from whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Point = tuple[float, float]


@dataclass(eq=False)
class Item:
    """A box or a frame, laid around an axis on which what it takes and gives stands if it can.

    Args:
        name: What is written first.
        calls: The calls of layers inside, as ids.
        left: From the axis to the left border.
        right: From the axis to the right border.
        height: From the top border to the bottom one.
        x: Of the axis.
        y: Of the top border.
    """

    name: str
    calls: frozenset[int]
    left: float = 0.0
    right: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        return self.x - self.left, self.y, self.x + self.right, self.y + self.height

    @property
    def boxes(self) -> int:
        """How many boxes are drawn of it."""
        return 1

    def place(self, x: float, y: float) -> None:
        """Stand with the axis at `x` and the top border at `y`."""
        self.x, self.y = x, y

    def entry(self, net: int | None) -> float:
        """Where, from the axis, what the call `net` gives comes in."""
        return 0.0

    def exit(self, net: int | None) -> float:
        """Where, from the axis, what the call `net` gives goes out."""
        return 0.0


@dataclass(eq=False)
class Box(Item):
    """A layer, or a block that is folded.

    Args:
        path: The name of the layer or the path of the block.
        description: The class and its arguments.
        shape: Of what it gives.
        parameters: Number of weights.
        family: See `palette.FAMILIES`.
        layers: How many layers it stands for.
        shared: Which of the calls of a shared layer this is, `1 of 2`, or nothing.
        is_output: Whether the model gives what it gives.
        lines: What is written in it: text, size, whether bold, whether faint.
    """

    path: str = ""
    description: str = ""
    shape: str = ""
    parameters: int = 0
    family: str = "other"
    layers: int = 1
    shared: str = ""
    is_output: bool = False
    lines: list[tuple[str, float, bool, bool]] = field(default_factory=list)


@dataclass(eq=False)
class Block(Item):
    """A block that is drawn as a frame around its items.

    Args:
        path: The names of the blocks around it and its own, with dots.
        class_name: What the user calls its kind, or nothing.
        items: Boxes and blocks inside.
        level: 1 for those of the network itself.
        shared: See `Box`.
        title: What is written on it, in lines.
        entries: Where what each call gives comes in, from the axis.
        exits: Where it goes out.
        wires: Inside, from its items, to them, and from and to its borders.
    """

    path: str = ""
    class_name: str = ""
    items: list[Item] = field(default_factory=list)
    level: int = 0
    shared: str = ""
    title: list[str] = field(default_factory=list)
    entries: dict[int | None, float] = field(default_factory=dict)
    exits: dict[int | None, float] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)

    def place(self, x: float, y: float) -> None:
        """Stand with the axis at `x` and the top border at `y`, and take everything inside along."""
        dx, dy = x - self.x, y - self.y
        super().place(x, y)
        for item in self.items:
            item.place(item.x + dx, item.y + dy)
        for wire in self.wires:
            wire.points = [(px + dx, py + dy) for px, py in wire.points]

    @property
    def boxes(self) -> int:
        """How many boxes are drawn of it."""
        return sum(item.boxes for item in self.items)

    def entry(self, net: int | None) -> float:
        """Where, from the axis, what the call `net` gives comes in."""
        return self.entries.get(net, 0.0)

    def exit(self, net: int | None) -> float:
        """Where, from the axis, what the call `net` gives goes out."""
        return self.exits.get(net, 0.0)


@dataclass(eq=False)
class Wire:
    """What is drawn of an edge inside one frame.

    Args:
        net: The call whose output it carries, or None for a wire that only orders its items and is not drawn.
        source: Where it begins; None for the top border of the frame.
        target: Where it ends; None for the bottom border of the frame.
        points: The corners of its way; at first only those inside channels.
        entry: Where it comes in at the top of its target, from the axis, if not at the target's own place for it.
        to_side: Whether it comes in at the right side of its target.
    """

    net: int | None
    source: Item | None
    target: Item | None
    points: list[Point] = field(default_factory=list)
    entry: float | None = None
    to_side: bool = False


def boxes_of(items: Sequence[Item]) -> Iterator[Box]:
    """All boxes in items and in the blocks among them."""
    for item in items:
        if isinstance(item, Box):
            yield item
        elif isinstance(item, Block):
            yield from boxes_of(item.items)


def blocks_of(items: Sequence[Item]) -> Iterator[Block]:
    """All blocks in items, each before those in it."""
    for item in items:
        if isinstance(item, Block):
            yield item
            yield from blocks_of(item.items)


@dataclass(frozen=True)
class Network:
    """What a model is made of.

    Args:
        items: Boxes and blocks.
        edges: Who takes from whom, as pairs of ids of calls.
        calls: Every call by its id.
        depth: Blocks that are nested so deep, or deeper, are folded.
        deepest: How deep blocks are nested.
    """

    items: list[Item]
    edges: list[tuple[int, int]]
    calls: dict[int, Any]
    depth: int
    deepest: int

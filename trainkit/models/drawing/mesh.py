"""What is neither a series nor a parallel: nodes in rows, with wires between and beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from trainkit.models.drawing.channel import Channel, Pin
from trainkit.models.drawing.items import Box, Item, Wire
from trainkit.models.drawing.laid import BESIDE, LANE, Laid
from trainkit.models.drawing.parts import Mesh, Part
from trainkit.models.drawing.spread import align_rows, order_rows, spread_rows


@dataclass(eq=False)
class Node:
    """What stands in a row: an item, a part with boxes in it, or a wire that passes.

    Args:
        thing: The item or the part; None for a wire.
        row: Which row it stands in.
        x: Where its axis is.
    """

    thing: Item | Laid | None
    row: int = 0
    x: float = 0.0

    @property
    def left(self) -> float:
        """From the axis to the left end, with room beside it."""
        return LANE / 2 if self.thing is None else self.thing.left + BESIDE / 2

    @property
    def right(self) -> float:
        """From the axis to the right end, with room beside it."""
        return LANE / 2 if self.thing is None else self.thing.right + BESIDE / 2

    @property
    def height(self) -> float:
        """From top to bottom."""
        return 0.0 if self.thing is None else self.thing.height

    def gives(self, wire: Wire) -> float:
        """Where a wire leaves, from the axis."""
        match self.thing:
            case Item():
                return self.thing.exit(wire.net)
            case Laid():
                return next(x for other, x in self.thing.feet if other is wire)
            case _:
                return 0.0

    def takes(self, wire: Wire) -> float:
        """Where a wire comes in, from the axis."""
        match self.thing:
            case Item():
                return self.thing.entry(wire.net) if wire.entry is None else wire.entry
            case Laid():
                return next(x for other, x in self.thing.heads if other is wire)
            case _:
                return 0.0


@dataclass(eq=False)
class Step:
    """A wire between neighbouring rows."""

    wire: Wire
    above: Node
    below: Node


@dataclass
class LaidMesh(Laid):
    """Nodes in rows.

    Args:
        rows: The nodes of each, from left to right.
        channels: Below each row.
    """

    rows: list[list[Node]] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)

    def place(self, x: float, y: float, height: float) -> None:
        """See `Laid`."""
        for nodes, channel in zip(self.rows, self.channels, strict=True):
            tallest = max((node.height for node in nodes), default=0.0)
            for node in nodes:
                match node.thing:
                    case Item():
                        node.thing.place(x + node.x, y)
                    case Laid():
                        node.thing.place(x + node.x, y, node.thing.height)
            y += tallest
            channel.place(x, y)
            y += channel.height


def lay_mesh(part: Mesh, lay: Callable[[Part], Laid]) -> LaidMesh:
    """Rows by the longest way, wires that pass rows in lanes of their own, few crossings, then places."""
    nodes: dict[int, Node] = {id(item): Node(item) for item in part.items}
    ways = _ways(part, lay, nodes)
    _choose_rows(list(nodes.values()), ways)
    rows, steps, heads, feet = _with_lanes(list(nodes.values()), ways)
    order_rows(rows, steps)
    _spread_entries(steps)
    spread_rows(rows, steps)
    align_rows(rows, steps)
    _straighten(steps)
    channels = [
        Channel.of(
            [
                Pin(step.wire, step.above.x + step.above.gives(step.wire), step.below.x + step.below.takes(step.wire))
                for step in steps
                if step.above.row == index
            ]
        )
        for index in range(len(rows))
    ]
    channels[-1].height = 0.0
    tops = [max((node.height for node in row), default=0.0) for row in rows]
    everything = [node for row in rows for node in row]
    return LaidMesh(
        left=-min(node.x - node.left for node in everything),
        right=max(node.x + node.right for node in everything),
        height=sum(tops) + sum(channel.height for channel in channels),
        heads=[(wire, node.x + node.takes(wire)) for wire, node in heads],
        feet=[(wire, node.x + node.gives(wire)) for wire, node in feet],
        rows=rows,
        channels=channels,
    )


def _ways(
    part: Mesh, lay: Callable[[Part], Laid], nodes: dict[int, Node]
) -> list[tuple[Node | None, Wire, Node | None]]:
    """Wires from node to node; a part with boxes in it becomes a node."""
    ways: list[tuple[Node | None, Wire, Node | None]] = []
    for source, link, target in part.links:
        above = nodes[id(source)] if source is not None else None
        below = nodes[id(target)] if target is not None else None
        if isinstance(link, Wire):
            ways.append((above, link, below))
            continue
        laid = lay(link)
        nodes[id(laid)] = node = Node(laid)
        ways += [(above, wire, node) for wire, _ in laid.heads]
        ways += [(node, wire, below) for wire, _ in laid.feet]
    return ways


def _choose_rows(nodes: Sequence[Node], ways: Sequence[tuple[Node | None, Wire, Node | None]]) -> None:
    """Each node below all it takes from; one that takes from none right above the first that takes from it."""
    after: dict[int, list[Node]] = defaultdict(list)
    waiting = {id(node): 0 for node in nodes}
    for above, _, below in ways:
        if above is not None and below is not None:
            after[id(above)].append(below)
            waiting[id(below)] += 1
    begins = [node for node in nodes if not waiting[id(node)]]
    ready = list(begins)
    for node in ready:
        for below in after[id(node)]:
            below.row = max(below.row, node.row + 1)
            waiting[id(below)] -= 1
            if not waiting[id(below)]:
                ready.append(below)
    drawn_from_top = {id(below) for above, wire, below in ways if above is None and wire.net is not None}
    for node in begins:
        if after[id(node)] and id(node) not in drawn_from_top:
            node.row = max(0, min(below.row for below in after[id(node)]) - 1)


def _with_lanes(
    nodes: Sequence[Node], ways: Sequence[tuple[Node | None, Wire, Node | None]]
) -> tuple[list[list[Node]], list[Step], list[tuple[Wire, Node]], list[tuple[Wire, Node]]]:
    """The rows with a node for every wire that passes; what one call gives passes a row once."""
    last = max(node.row for node in nodes)
    rows: list[list[Node]] = [[node for node in nodes if node.row == index] for index in range(last + 1)]
    lanes: dict[tuple[int | None, int, int], Node] = {}
    steps: list[Step] = []
    heads: list[tuple[Wire, Node]] = []
    feet: list[tuple[Wire, Node]] = []
    for above, wire, below in ways:
        if wire.net is None:
            heads += [(wire, below)] if above is None and below is not None else []
            feet += [(wire, above)] if below is None and above is not None else []
            continue
        chain = [above] if above is not None else []
        for row in range(above.row + 1 if above else 0, below.row if below else last + 1):
            key = (wire.net, id(above), row)
            if key not in lanes:
                lanes[key] = Node(None, row)
                rows[row].append(lanes[key])
            chain.append(lanes[key])
        chain += [below] if below is not None else []
        steps += [Step(wire, upper, lower) for upper, lower in pairwise(chain)]
        heads += [(wire, chain[0])] if above is None else []
        feet += [(wire, chain[-1])] if below is None else []
    return rows, steps, heads, feet


def _spread_entries(steps: Sequence[Step]) -> None:
    """Wires that come to one box come in beside each other, in the order of where they come from."""
    arriving: dict[int, list[Step]] = defaultdict(list)
    for step in steps:
        if isinstance(step.below.thing, Box):
            arriving[id(step.below)].append(step)
    for group in arriving.values():
        box = group[0].below.thing
        assert isinstance(box, Box)
        apart = min(24.0, (box.left + box.right - 24.0) / len(group))
        for place, step in enumerate(sorted(group, key=lambda step: step.above.x)):
            step.wire.entry = (place - (len(group) - 1) / 2) * apart


def _straighten(steps: Sequence[Step]) -> None:
    """Let a wire that leads to a box nearly straight down come in where it comes from."""
    by_box: dict[int, list[Step]] = defaultdict(list)
    for step in steps:
        if isinstance(step.below.thing, Box):
            by_box[id(step.below)].append(step)
    for group in by_box.values():
        taken = [step.wire.entry or 0.0 for step in group]
        for index, step in enumerate(group):
            box = step.below.thing
            assert isinstance(box, Box)
            straight = step.above.x + step.above.gives(step.wire) - step.below.x
            others = taken[:index] + taken[index + 1 :]
            if abs(straight) < box.right - 10 and all(abs(straight - other) > 14 for other in others):
                step.wire.entry = taken[index] = straight

"""A network -> a place for every box, block and wire."""

from __future__ import annotations

from collections.abc import Sequence

from trainkit.models.drawing.channel import ABOVE, Channel, Pin
from trainkit.models.drawing.columns import into_columns
from trainkit.models.drawing.items import Block, Item, Network, Point, Wire, blocks_of
from trainkit.models.drawing.laid import Laid, LaidParallel, lane
from trainkit.models.drawing.mesh import lay_mesh
from trainkit.models.drawing.parts import Mesh, Parallel, Part, Series, decompose, weight_of
from trainkit.models.drawing.series import lay_series
from trainkit.models.drawing.writing import TITLE, TITLE_LINE, size_boxes, write_title

PAD = 14.0
"""Between the border of a block and what is in it."""
TALL, TALL_BLOCK = 1250.0, 2200.0
"""A network, or the inside of a block, that is higher stands in columns."""


def lay_out(network: Network) -> list[Wire]:
    """Give every box and block of a network its place.

    Returns:
        The wires, with their ways.
    """
    size_boxes(network.items)
    wires = _lay_frame(network.items, network.edges, TALL, is_block=False)
    return wires + [wire for block in blocks_of(network.items) for wire in block.wires]


def _lay_frame(items: Sequence[Item], edges: Sequence[tuple[int, int]], tall: float, *, is_block: bool) -> list[Wire]:
    """Place the items of a frame, around an axis at 0 and down from 0; returns the wires that are drawn between."""
    for item in items:
        if isinstance(item, Block):
            _lay_block(item, [edge for edge in edges if not item.calls.isdisjoint(edge)])
    wires = wires_between(items, edges, is_frame=is_block)
    laid = _lay(decompose(_sorted(items, wires), wires))
    laid.place(0.0, 0.0, laid.height)
    heads = {id(wire): x for wire, x in laid.heads}
    feet = {id(wire): x for wire, x in laid.feet}
    drawn = [wire for wire in wires if wire.net is not None]
    for wire in drawn:
        start = (heads[id(wire)], 0.0) if wire.source is None else _start(wire, wire.source)
        end = [(feet[id(wire)], laid.height)] if wire.target is None else _end(wire, wire.target, start)
        wire.points = _corners([start, *wire.points, *end])
    into_columns(items, drawn, tall=tall)
    return drawn


def _lay_block(block: Block, edges: Sequence[tuple[int, int]]) -> None:
    """Size a block around what is inside it, and lead the wires to its borders."""
    block.wires = _lay_frame(block.items, edges, TALL_BLOCK, is_block=True)
    corners = [corner for item in block.items for corner in (item.bounds[:2], item.bounds[2:])]
    corners += [point for wire in block.wires for point in wire.points]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    bottom = max(y for _, y in corners)
    heads = [wire for wire in block.wires if wire.source is None]
    by_net: dict[int | None, list[float]] = {}
    for wire in heads:
        by_net.setdefault(wire.net, []).append(wire.points[0][0])
    block.entries = {net: _port(places) for net, places in by_net.items()}
    fork = Channel.of([Pin(wire, block.entries[wire.net], wire.points[0][0]) for wire in heads])
    above = 8.0 if all(track is None for track in fork.tracks) else fork.height
    port = min([0.0, *block.entries.values()])
    block.title, width = write_title(block, port - left + PAD - TITLE - 8)
    block.left = max(PAD - left, width + TITLE + 8 - port)
    block.right = right + PAD
    title = TITLE_LINE * len(block.title) + 8
    leads_left = any(wire.points[0][0] < block.entries[wire.net] for wire in heads)
    top = max(title + (fork.height - ABOVE if leads_left else 0.0), 8 + above)  # no wire turns beside the title
    block.height = top + bottom + PAD
    block.y = -top
    for wire in heads:
        below, wire.points = wire.points, []
        fork.place_wire(wire, 0.0, -above)
        wire.points = _corners([(block.entries[wire.net], -top), *wire.points, *below])
    for wire in block.wires:
        if wire.target is None:
            wire.points = _corners([*wire.points, (wire.points[-1][0], bottom + PAD)])
            block.exits[wire.net] = wire.points[-1][0]


def _port(places: Sequence[float]) -> float:
    """Where what leads to some places comes in: on the axis where they stand around it, else above the first."""
    is_around = min(places) < 0 < max(places) and (len(places) > 2 or abs(sum(places)) < 1)
    return 0.0 if is_around else min(places, key=abs) if len(places) > 1 else places[0]


def _lay(part: Part) -> Laid:
    match part:
        case Wire():
            return lane(part)
        case Series():
            return lay_series(part, _lay)
        case Parallel():
            return _lay_parallel(part)
        case Mesh():
            return lay_mesh(part, _lay)


def _lay_parallel(part: Parallel) -> Laid:
    """Wires that pass stand on the right; one branch that is heavier than the others on the axis, with them beside."""
    weights = [weight_of(branch) for branch in part.branches]
    order = sorted(range(len(weights)), key=lambda index: weights[index] == 0)
    with_boxes = [index for index in order if weights[index]]
    main = None
    if len(with_boxes) == 1 or (len(with_boxes) == 2 and weights[with_boxes[0]] != weights[with_boxes[1]]):
        order.sort(key=lambda index: -weights[index])
        main = 0
    return LaidParallel.of([_lay(part.branches[index]) for index in order], main)


def wires_between(items: Sequence[Item], edges: Sequence[tuple[int, int]], *, is_frame: bool) -> list[Wire]:
    """The wires of a frame: from item to item, from its top border and to its bottom one.

    Every item has one that leads to it and one that leads on, if need be one that is not drawn.
    """
    owner = {call: item for item in items for call in item.calls}
    found: dict[tuple[int, int | None, int | None], Wire] = {}
    for maker, taker in edges:
        source, target = owner.get(maker), owner.get(taker)
        if source is not target and (is_frame or (source and target)):
            key = (maker, id(source) if source else None, id(target) if target else None)
            found.setdefault(key, Wire(maker, source, target))
    wires = list(found.values())
    given = {id(wire.source) for wire in wires}
    taken = {id(wire.target) for wire in wires}
    wires += [Wire(None, None, item) for item in items if id(item) not in taken]
    return wires + [Wire(None, item, None) for item in items if id(item) not in given]


def _sorted(items: Sequence[Item], wires: Sequence[Wire]) -> list[Item]:
    """Items in an order in which each comes after what it takes from."""
    waiting = {id(item): 0 for item in items}
    after: dict[int, list[Item]] = {}
    for wire in wires:
        if wire.source is not None and wire.target is not None:
            waiting[id(wire.target)] += 1
            after.setdefault(id(wire.source), []).append(wire.target)
    ready = [item for item in items if not waiting[id(item)]]
    for item in ready:
        for taker in after.get(id(item), ()):
            waiting[id(taker)] -= 1
            if not waiting[id(taker)]:
                ready.append(taker)
    return ready


def _start(wire: Wire, source: Item) -> Point:
    return source.x + source.exit(wire.net), source.y + source.height


def _end(wire: Wire, target: Item, start: Point) -> list[Point]:
    if wire.to_side:
        level = target.y + target.height / 2
        return [([start, *wire.points][-1][0], level), (target.x + target.right, level)]
    return [(target.x + (target.entry(wire.net) if wire.entry is None else wire.entry), target.y)]


def _corners(points: Sequence[Point]) -> list[Point]:
    kept = [points[0]]
    for point, after in zip(points[1:], [*points[2:], None], strict=True):
        x, y = kept[-1]
        if after is not None and abs(point[0] - x) < 0.5 and abs(point[1] - y) < 0.5:
            continue
        if after is not None and any(
            abs(one - point[axis]) + abs(after[axis] - point[axis]) < 0.5 for axis, one in enumerate((x, y))
        ):
            continue
        kept.append(point)
    return kept

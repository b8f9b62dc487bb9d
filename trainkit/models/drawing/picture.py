"""A laid network -> shapes and texts, the same for every kind of file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from trainkit.models.drawing.fonts import text_width
from trainkit.models.drawing.items import Block, Box, Item, Network, Point, Wire, blocks_of, boxes_of
from trainkit.models.drawing.palette import (
    BLOCK_EDGE,
    BLOCK_PAPERS,
    FAINT,
    FAMILIES,
    FOLDED,
    INK,
    PAPER,
    TITLES,
    Colours,
)
from trainkit.models.drawing.ways import rest_of_way
from trainkit.models.drawing.writing import BODY, LEADING, NOTE, STRIPE, TITLE, TITLE_LINE

MARGIN = 28.0
ROUND = 5.0
_HEADING = 16.0
OUTPUT_LINE = 2.2
_STACK = 3.0
_SWATCH = 12.0


@dataclass(frozen=True)
class Rectangle:
    """A rounded box; `title` is what a pointer over it is told."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    edge: str
    line: float = 1.0
    round: float = ROUND
    title: str = ""


@dataclass(frozen=True)
class Text:
    """A line of text whose baseline begins, or has its middle, at a point."""

    x: float
    y: float
    text: str
    size: float
    bold: bool = False
    colour: str = INK
    centred: bool = False


@dataclass(frozen=True)
class Line:
    """A way with rounded corners, and an arrow head at its end if it has one."""

    points: tuple[tuple[float, float], ...]
    arrow: bool


Shape = Rectangle | Text | Line


@dataclass
class Picture:
    """Shapes in the order in which they are painted.

    Args:
        title: What it shows.
        width: In units of which a letter is about 10 high.
        height: In the same.
        shapes: What is painted.
    """

    title: str
    width: float = 0.0
    height: float = 0.0
    shapes: list[Shape] = field(default_factory=list)


def compose(network: Network, wires: Sequence[Wire], title: str, facts: Sequence[str]) -> Picture:
    """Paint a network.

    Args:
        network: With its places.
        wires: With their ways.
        title: Stands above it.
        facts: Lines below the title.
    """
    everything = [*blocks_of(network.items), *boxes_of(network.items)]
    right = max([item.bounds[2] for item in everything] + [x for wire in wires for x, _ in wire.points])
    bottom = max([item.bounds[3] for item in everything] + [y for wire in wires for _, y in wire.points])
    left = min([item.bounds[0] for item in everything] + [x for wire in wires for x, _ in wire.points])
    head = [Text(0, 0, title, _HEADING, bold=True), *(Text(0, 0, fact, BODY + 0.5, colour=FAINT) for fact in facts)]
    top = MARGIN + _HEADING + len(facts) * 15 + 20
    inner = max([right - left, 320.0, *(text_width(text.text, text.size, bold=text.bold) for text in head)])
    picture = Picture(title, inner + 2 * MARGIN)
    level = MARGIN + _HEADING - 3
    for text in head:
        picture.shapes.append(Text(MARGIN, level, text.text, text.size, text.bold, text.colour))
        level += 17
    dx, dy = MARGIN - left + (inner - (right - left)) / 2, top
    picture.shapes += _shapes(network.items, wires, dx, dy)
    legend, height = _legend(network.items, top + bottom + 26, inner)
    picture.shapes += legend
    picture.height = top + bottom + 26 + height + MARGIN
    return picture


def _shapes(items: Sequence[Item], wires: Sequence[Wire], dx: float, dy: float) -> Iterator[Shape]:
    for block in blocks_of(items):
        yield from _block(block, dx, dy)
    drawn: dict[tuple[int | None, Point], list[Sequence[Point]]] = {}
    for wire in wires:
        ways = drawn.setdefault((wire.net, wire.points[0]), [])
        points = rest_of_way(wire.points, ways)
        ways.append(wire.points)
        yield Line(tuple((x + dx, y + dy) for x, y in points), arrow=isinstance(wire.target, Box))
    for box in boxes_of(items):
        yield from _box(box, dx, dy)


def _block(block: Block, dx: float, dy: float) -> Iterator[Shape]:
    left, top, right, bottom = block.bounds
    paper = BLOCK_PAPERS[(block.level - 1) % len(BLOCK_PAPERS)]
    told = " · ".join(filter(None, (block.path, block.class_name)))
    yield Rectangle(left + dx, top + dy, right - left, bottom - top, paper, BLOCK_EDGE, 1.0, 9.0, told)
    for number, line in enumerate(block.title):
        baseline = top + dy + 6 + BODY + number * TITLE_LINE
        yield Text(left + dx + TITLE, baseline, line, BODY, bold=number == 0, colour=FAINT if number else INK)


def _box(box: Box, dx: float, dy: float) -> Iterator[Shape]:
    left, top, right, bottom = box.bounds
    x, y, width, height = left + dx, top + dy, right - left, bottom - top
    paper, stripe = FAMILIES[box.family]
    told = ", ".join(filter(None, (box.path, box.description, box.shape)))
    if box.family == FOLDED:
        for away in (2 * _STACK, _STACK):
            yield Rectangle(x + away, y + away, width, height, PAPER, stripe, 0.8)
    yield Rectangle(x, y, width, height, paper, stripe, OUTPUT_LINE if box.is_output else 1.0, title=told)
    if box.family != "input":
        yield Rectangle(x + 2.5, y + 3.5, STRIPE - 2.5, height - 7, stripe, stripe, 0.0, 1.75)
    level = y + (height - sum(size * LEADING for _, size, _, _ in box.lines)) / 2
    for text, size, bold, faint in box.lines:
        baseline = level + size * (LEADING + 0.76) / 2
        middle = x + (width + (STRIPE if box.family != "input" else 0)) / 2
        yield Text(middle, baseline, text, size, bold, FAINT if faint else INK, centred=True)
        level += size * LEADING


def _legend(items: Sequence[Item], y: float, width: float) -> tuple[list[Shape], float]:
    """What the colours mean, of those that there are, in as many rows as they need."""
    keys = _keys({box.family for box in boxes_of(items)}, any(box.is_output for box in boxes_of(items)))
    shapes: list[Shape] = []
    x, begin = MARGIN, y
    for label, (paper, stripe), line in keys:
        needed = _SWATCH + 6 + text_width(label, NOTE) + 18
        if x > MARGIN and x + needed - 18 > MARGIN + width:
            x, y = MARGIN, y + 18
        shapes.append(Rectangle(x, y, _SWATCH, _SWATCH, paper, stripe, line, 2.5))
        if paper != PAPER:
            shapes.append(Rectangle(x + 1.5, y + 2, 2.5, _SWATCH - 4, stripe, stripe, 0.0, 1.0))
        shapes.append(Text(x + _SWATCH + 6, y + 9.5, label, NOTE, colour=FAINT))
        x += needed
    return shapes, y - begin + _SWATCH


def _keys(families: set[str], with_outputs: bool) -> list[tuple[str, Colours, float]]:
    keys = [(TITLES.get(name, name), colours, 1.0) for name, colours in FAMILIES.items() if name in families]
    return [*keys, ("output", FAMILIES["input"], OUTPUT_LINE)] if with_outputs else keys

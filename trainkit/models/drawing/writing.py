"""What is written in boxes and on blocks, and how large they are for it."""

from __future__ import annotations

from collections.abc import Sequence

from trainkit.models.drawing.fonts import cut_text, text_width, wrap_words
from trainkit.models.drawing.items import Block, Box, Item, boxes_of
from trainkit.models.drawing.palette import FOLDED

NAME, BODY, NOTE = 11.0, 9.5, 9.0
"""Sizes of letters: of a name, of what it is, of its shape and parameters."""
LEADING = 1.36
STRIPE = 6.0
TITLE, TITLE_LINE = 10.0, 14.0
"""From the left border of a block to its title, and the height of a line of it."""
_INDENT, _ABOVE = 8.0, 6.0
_NARROW, _WIDE = 112.0, 214.0


def size_boxes(items: Sequence[Item]) -> None:
    """Write every box, and make all of them as wide as the widest needs, so that they stand in line."""
    boxes = list(boxes_of(items))
    texts = [_texts(box) for box in boxes]
    needed = max(
        (text_width(text, size, bold=bold) for lines in texts for text, size, bold, _ in lines), default=_NARROW
    )
    width = min(max(needed + STRIPE + 2 * _INDENT, _NARROW), _WIDE)
    room = width - STRIPE - 2 * _INDENT
    for box, lines in zip(boxes, texts, strict=True):
        box.lines = [line for text in lines for line in _fit(text, room)]
        box.left = box.right = width / 2
        box.height = 2 * _ABOVE + sum(size * LEADING for _, size, _, _ in box.lines)


def write_title(block: Block, room: float) -> tuple[list[str], float]:
    """The title of a block, in one line if that fits beside what comes in at its top, and its width."""
    shared = f"shared, {block.shared}" if block.shared else ""
    parts = [block.name, *filter(None, (block.class_name, shared))]
    whole = " · ".join(parts)
    lines = [whole] if text_width(whole, BODY, bold=True) <= room else parts
    lines = [cut_text(line, BODY, 220.0, bold=True) for line in lines]
    return lines, max(text_width(line, BODY, bold=True) for line in lines)


def _texts(box: Box) -> list[tuple[str, float, bool, bool]]:
    if box.family == FOLDED:
        layers = f"{box.layers:,} layer{'s' if box.layers != 1 else ''}"
        sizes = [f"{layers}, {_parameters(box.parameters)}" if box.parameters else layers, box.shape]
        title = f"{box.name} · {box.description}" if box.description else box.name
    else:
        sizes = [" · ".join(filter(None, (box.shape, _parameters(box.parameters) if box.parameters else "")))]
        title = box.name
    texts = [(title, NAME, True, False)]
    if box.family != FOLDED:
        texts.append((box.description, BODY, False, False))
    texts += [(size, NOTE, False, True) for size in sizes]
    if box.shared:
        texts.append((f"shared, call {box.shared}", NOTE, False, True))
    return texts


def _parameters(count: int) -> str:
    return f"{count:,} parameter{'s' if count != 1 else ''}"


def _fit(line: tuple[str, float, bool, bool], room: float) -> list[tuple[str, float, bool, bool]]:
    text, size, bold, faint = line
    if text_width(text, size, bold=bold) <= room:
        return [line]
    if bold:
        return [(cut_text(text, size, room, bold=True), size, bold, faint)]
    return [(part, size, bold, faint) for part in wrap_words(text, size, room)]

"""A picture as SVG: texts are texts, so that they can be searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from trainkit.models.drawing.fonts import FAMILY, text_width
from trainkit.models.drawing.palette import PAPER, WIRE
from trainkit.models.drawing.picture import Line, Picture, Rectangle, Shape, Text
from trainkit.models.drawing.ways import WIDTH, head_of, rounded, shorten


def write_svg(picture: Picture, filepath: Path) -> None:
    """Write a picture as SVG."""
    filepath.write_text("\n".join(_document(picture)) + "\n", encoding="utf-8")


def _document(picture: Picture) -> Iterator[str]:
    size = f'width="{picture.width:.0f}" height="{picture.height:.0f}"'
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {picture.width:.0f} {picture.height:.0f}" '
        f"font-family={quoteattr(FAMILY)}>"
    )
    yield f"<title>{_clean(picture.title)}</title>"
    yield f'<rect width="100%" height="100%" fill="{PAPER}"/>'
    for shape in picture.shapes:
        yield from _element(shape)
    yield "</svg>"


def _element(shape: Shape) -> Iterator[str]:
    match shape:
        case Rectangle():
            edge = f' stroke="{shape.edge}" stroke-width="{shape.line:g}"' if shape.line else ""
            body = (
                f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
                f'rx="{shape.round:g}" fill="{shape.fill}"{edge}'
            )
            yield f"{body}><title>{_clean(shape.title)}</title></rect>" if shape.title else f"{body}/>"
        case Line():
            points = shorten(shape.points) if shape.arrow else shape.points
            yield f'<path d="{_path(points)}" fill="none" stroke="{WIRE}" stroke-width="{WIDTH:g}"/>'
            if shape.arrow:
                corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in head_of(shape.points))
                yield f'<polygon points="{corners}" fill="{WIRE}"/>'
        case Text():
            weight = ' font-weight="bold"' if shape.bold else ""
            anchor = ' text-anchor="middle"' if shape.centred else ""
            width = text_width(shape.text, shape.size, bold=shape.bold)
            yield (
                f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size:g}" fill="{shape.colour}"'
                f'{weight}{anchor} textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs">{_clean(shape.text)}</text>'
            )


def _path(points: Sequence[tuple[float, float]]) -> str:
    words = []
    for command, corners in rounded(points):
        words.append(command + " ".join(f"{x:.1f},{y:.1f}" for x, y in corners))
    return " ".join(words)


def _clean(text: str) -> str:
    """Without what XML cannot hold."""
    return escape("".join(letter for letter in text if letter == "\t" or " " <= letter < "\ud800" or letter > "\udfff"))

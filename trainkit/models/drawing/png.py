"""A picture as PNG, drawn by matplotlib."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from trainkit.models.drawing.fonts import font_file
from trainkit.models.drawing.palette import PAPER, WIRE
from trainkit.models.drawing.picture import Line, Picture, Rectangle, Shape, Text
from trainkit.models.drawing.ways import WIDTH, head_of, rounded, shorten

SCALE = 2.0
"""Pixels of a unit of the picture, if it is not too large for that."""
MOST_PIXELS = 40_000_000
MOST_SIDE = 16_000


def write_png(picture: Picture, filepath: Path) -> None:
    """Write a picture as PNG; a large one with fewer pixels for a letter."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = round(picture.width), round(picture.height)
    scale = scale_of(width, height)
    figure = Figure(figsize=(width / 72, height / 72), dpi=72 * scale, facecolor=PAPER)
    FigureCanvasAgg(figure)
    for order, shape in enumerate(picture.shapes):
        _draw(figure, shape, height, order)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.savefig(filepath, format="png", pil_kwargs={"compress_level": 3})


def scale_of(width: int, height: int) -> float:
    """Pixels of a unit of a picture.

    Example:
        >>> scale_of(500, 800), scale_of(32_000, 100)
        (2.0, 0.5)
    """
    return min(SCALE, MOST_SIDE / max(width, height), (MOST_PIXELS / (width * height)) ** 0.5)


def _draw(figure: Any, shape: Shape, height: float, order: int) -> None:
    from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path as Way

    to_points = figure.dpi_scale_trans
    inch = 72.0

    def at(x: float, y: float) -> tuple[float, float]:
        return x / inch, (height - y) / inch

    match shape:
        case Rectangle():
            x, y = at(shape.x, shape.y + shape.height)
            box = FancyBboxPatch(
                (x, y),
                shape.width / inch,
                shape.height / inch,
                boxstyle=f"round,pad=0,rounding_size={shape.round / inch}",
                facecolor=shape.fill,
                edgecolor=shape.edge,
                linewidth=shape.line,
                transform=to_points,
                zorder=order,
            )
            figure.add_artist(box)
        case Line():
            points = shorten(shape.points) if shape.arrow else shape.points
            codes = {"M": [Way.MOVETO], "L": [Way.LINETO], "Q": [Way.CURVE3, Way.CURVE3]}
            commands = list(rounded(points))
            way = Way(
                [at(*corner) for _, corners in commands for corner in corners],
                [code for command, _ in commands for code in codes[command]],
            )
            style = {"facecolor": "none", "edgecolor": WIRE, "linewidth": WIDTH, "capstyle": "butt"}
            figure.add_artist(PathPatch(way, transform=to_points, zorder=order, **style))
            if shape.arrow:
                head = Polygon([at(*corner) for corner in head_of(shape.points)], closed=True, color=WIRE, linewidth=0)
                head.set(transform=to_points, zorder=order)
                figure.add_artist(head)
        case Text():
            figure.text(
                *at(shape.x, shape.y),
                shape.text,
                transform=to_points,
                fontproperties=_font(shape),
                color=shape.colour,
                ha="center" if shape.centred else "left",
                va="baseline",
                parse_math=False,
                zorder=order,
            )


def _font(text: Text) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(font_file(bold=text.bold)), size=text.size)

"""How wide a text is, and how it is made to fit."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

FAMILY = "'DejaVu Sans', 'Bitstream Vera Sans', Verdana, sans-serif"
_EM = 64


@lru_cache(maxsize=8192)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a text in units of the picture, in the font that comes with matplotlib."""
    return float(_font(bold).getlength(text)) * size / _EM


def cut_text(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """A text that is at most so wide, cut in its middle with `…` where it is longer."""
    if text_width(text, size, bold=bold) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        cut = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
        if text_width(cut, size, bold=bold) <= width:
            return cut
    return text[:1]


def wrap_words(text: str, size: float, width: float) -> list[str]:
    """A text in lines, broken at spaces; a word that is too wide is cut."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(cut_text(word, size, width))
    return lines


def font_file(*, bold: bool = False) -> Path:
    """The font that comes with matplotlib."""
    import matplotlib

    return Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")


@cache
def _font(bold: bool) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(font_file(bold=bold), _EM)

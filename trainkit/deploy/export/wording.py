"""How inputs are made, in a sentence that stands in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST_COLUMNS = 10
"""Of more columns, the first are named; all of them stand in the file's `data`."""

COLOURS = {1: "grey", 3: "RGB", 4: "RGBA"}
FITS = {"stretch": "stretched", "crop": "scaled and cropped in the centre", "pad": "scaled and padded with black"}


def input_text(entry: Mapping[str, Any]) -> str:
    """How an app makes an input.

    Args:
        entry: What the description of the data says of it, as JSON has it; nothing where it is not known.

    Returns:
        A sentence without its full stop, or nothing.

    Example:
        >>> input_text({"columns": ["length", "width"]})
        'the columns length, width'
        >>> input_text({"columns": ["x"], "padding": 0})
        'the steps of a sequence, any number; in a batch with longer ones, 0 behind its last'
    """
    if image := entry.get("image"):
        smooth = "with antialias" if image["antialias"] else "without antialias"
        size = f"{image['width']} × {image['height']} pixels ({image['method']}, {smooth})"
        least, most = image["range"]
        made = f"{FITS[image['fit']]} to {size}, {COLOURS[image['channels']]}"
        return f"the image upright (EXIF orientation applied), {made}, values {least} to {most}"
    if "padding" in entry:
        return f"the steps of a sequence, any number; in a batch with longer ones, {entry['padding']!r} behind its last"
    columns = entry.get("columns", ())
    return f"the {'column' if len(columns) == 1 else 'columns'} {_few(columns)}" if columns else ""


def _few(names: Sequence[str]) -> str:
    return ", ".join([*names[:MOST_COLUMNS], *(["…"] if len(names) > MOST_COLUMNS else [])])

"""Templates and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trainkit.data.images.spec import MODES
from trainkit.deploy import wording
from trainkit.deploy.export.wording import COLOURS, FITS
from trainkit.deploy.page import usage
from trainkit.deploy.page.bars import draw_bar, draw_pair, draw_range, draw_spread
from trainkit.deploy.page.heat import draw_heat, heat_levels
from trainkit.deploy.page.markdown import as_code, as_markdown
from trainkit.deploy.page.palette import network_colours
from trainkit.deploy.sensitivity.picture import length_of
from trainkit.errors import counted

_WIDTHS = {"float32": 4, "int32": 4, "int64": 8, "int16": 2, "float16": 2}
_TENSORFLOW_METHODS = {"lanczos": "lanczos3"}
_BUFFERS = {"float32": "asFloatBuffer()", "int32": "asIntBuffer()", "int64": "asLongBuffer()"}


def render_page(values: Mapping[str, Any]) -> str:
    """The page, in which every value is escaped."""
    return _environment(autoescape=True).get_template("report.html.jinja").render(values)


def render_card(values: Mapping[str, Any]) -> str:
    """The model card; its template escapes what is not TrainKit's own."""
    return _environment(autoescape=False).get_template("MODEL_CARD.md.jinja").render(values)


def render_code(name: str, values: Mapping[str, Any]) -> str:
    """Lines of a program; its template writes literals."""
    lines = _environment(autoescape=False).get_template(name).render(values).splitlines()
    kept = [line.rstrip() for index, line in enumerate(lines) if line.strip() or (index and lines[index - 1].strip())]
    return "\n".join(kept).strip() + "\n"


def breakable(name: str) -> Markup:
    """A long name that may be broken after its joints."""
    return Markup("").join(Markup("{}<wbr>").format(part) for part in re.findall(r"[^_.\-/]*[_.\-/]?", name) if part)


@cache
def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("trainkit.deploy.page"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "size": wording.size_text,
        "count": wording.count_text,
        "share": wording.share_text,
        "rate": wording.rate_text,
        "length_of": length_of,
        "time": wording.time_text,
        "number": wording.number_text,
        "points": wording.points_text,
        "shape": wording.shape_text,
        "breakable": breakable,
        "steady": lambda text: re.sub(r"(\d)e-(\d)", "\\1e−\\2", text),
        "md": as_markdown,
        "code": as_code,
        "python": usage.as_python,
        "cpp": usage.as_cpp,
        "kotlin": usage.as_kotlin,
        "comment": usage.as_comment,
        "floats": usage.as_floats,
        "capital": lambda text: f"{text[:1].upper()}{text[1:]}",
        "fit": FITS.__getitem__,
        "colours": COLOURS.__getitem__,
        "mode": MODES.__getitem__,
        "tf_method": lambda method: _TENSORFLOW_METHODS.get(method, method),
        "width": lambda dtype: _WIDTHS.get(dtype, 1),
        "kotlin_buffer": lambda dtype: _BUFFERS.get(dtype, "asFloatBuffer()"),
    }
    environment.globals |= {
        "counted": counted,
        "bar": draw_bar,
        "pair": draw_pair,
        "range_of": draw_range,
        "spread": draw_spread,
        "heat": draw_heat,
        "heat_levels": heat_levels,
        "network_colours": network_colours,
    }
    return environment

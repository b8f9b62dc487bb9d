"""Texts of users in Markdown, where they stay texts."""

from __future__ import annotations

import re
from typing import Any

_MARKS = re.compile(r"([\\`*_{}\[\]#!|~>$^@]|(?<=www)\.|:(?=//))")


def as_markdown(value: Any) -> str:
    """A text that no reader of Markdown takes for marks, links, HTML or a cell of a table; not for the start of a line.

    Example:
        >>> print(as_markdown("a|b <i> *c*"))
        a\\|b &lt;i&gt; \\*c\\*
    """
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKS.sub(r"\\\1", text).replace("\\>", "&gt;")


def as_code(value: Any, *, cell: bool = False) -> str:
    """A text as code on a line, between as many backticks as it needs.

    Args:
        value: The text.
        cell: Whether it stands in a cell of a table, which a bar would end.

    Example:
        >>> print(as_code("a`b"), as_code("x|y", cell=True))
        ``a`b`` `x\\|y`
    """
    text = " ".join(str(value).split())
    text = text.replace("|", "\\|") if cell else text
    if not text:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}"

"""Patterns of layer names, as a config writes them: `conv?`, `backbone.*`, or the name of a block."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from trainkit.errors import shown
from trainkit.registry import did_you_mean


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern, as shells have it, fits the name of a layer, or that of a block around it.

    Example:
        >>> [fits(pattern, "backbone.conv1") for pattern in ("backbone.*", "backbone", "*conv?", "back")]
        [True, True, True, False]
    """
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def unknown_pattern(pattern: str, names: Iterable[str], *, kind: str = "layer") -> str | None:
    """What is wrong with a pattern that fits none of some layers; None where it fits one.

    Args:
        pattern: As it was written.
        names: Of the layers.
        kind: What they are called.

    Example:
        >>> unknown_pattern("bakbone.*", ["backbone.conv1", "head"])
        "must fit a layer. Received: 'bakbone.*'. Did you mean 'backbone.*'?"
    """
    names = list(names)
    if any(fits(pattern, name) for name in names):
        return None
    blocks = {name[:end]: None for name in names for end, letter in enumerate(name) if letter == "."}
    near = did_you_mean(pattern, [*names, *blocks, *(f"{block}.*" for block in blocks)])
    known = list(dict.fromkeys(name.split(".")[0] for name in names))
    listed = ", ".join(known if len(known) < 12 else [*known[:8], "…", *known[-2:]]) or "none"
    return f"must fit a {kind}. Received: {shown(pattern)}.{near or f' Known: {listed}.'}"

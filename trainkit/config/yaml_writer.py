"""Plain data -> YAML as a person writes a config: a layer a line, nothing quoted that need not be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from trainkit.config.scalars import resolve_scalar

LONGEST_FLOW = 100
"""Characters of the longest mapping or list on one line; what gets built is always on one."""
_PLAIN = re.compile(r"[A-Za-z0-9_.$/][A-Za-z0-9_.$/+* ()-]*")
"""Texts that mean themselves wherever they stand, if they are no number."""


def write_yaml(value: Mapping[str, Any]) -> str:
    """Write a config, or a part of one, that reads back to the same values.

    Args:
        value: Mappings, lists and scalars.

    Example:
        >>> layer = {"Conv2D": {"filters": 8, "kernel_size": 3}, "name": "stem"}
        >>> print(write_yaml({"model": {"input": [28, 28, 1], "layers": [layer, "Flatten"]}}), end="")
        model:
          input: [28, 28, 1]
          layers:
            - Conv2D: {filters: 8, kernel_size: 3}
              name: stem
            - Flatten
    """
    return "".join(f"{line}\n" for line in _mapping(value, is_top=True))


def _mapping(value: Mapping[str, Any], *, is_top: bool = False) -> Iterator[str]:
    for key, item in value.items():
        yield from _entry(key, item, is_top=is_top)


def _entry(key: str, item: Any, *, is_top: bool) -> Iterator[str]:
    """A key and its value; the sections at the top are written out."""
    name, is_section = _scalar(key), is_top and isinstance(item, Mapping)
    if item is None and _is_class(key):
        yield f"{name}:"
    elif not isinstance(item, Mapping | list) or not item or _is_class(key) or (_is_short(item) and not is_section):
        yield f"{name}: {_flow(item)}"
    else:
        yield f"{name}:"
        yield from (f"  {line}" for line in (_mapping(item) if isinstance(item, Mapping) else _list(item)))


def _list(items: list[Any]) -> Iterator[str]:
    for item in items:
        lines = _mapping(item) if isinstance(item, Mapping) and item else iter([_flow(item)])
        yield from (f"{'  ' if number else '- '}{line}" for number, line in enumerate(lines))


def _is_short(item: Any) -> bool:
    """Whether a value is written on the line of its key: a thing that gets built is, a list of them is not."""
    if not (isinstance(item, Mapping) and any(map(_is_class, item))):
        inside = item.values() if isinstance(item, Mapping) else item
        if any(isinstance(value, Mapping) or (isinstance(value, list) and not _is_flat(value)) for value in inside):
            return False
    return len(_flow(item)) <= LONGEST_FLOW


def _is_flat(items: list[Any]) -> bool:
    return not any(isinstance(item, Mapping | list) for item in items)


def _is_class(value: Any) -> bool:
    return isinstance(value, str) and value[:1].isupper()


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str) and not _means_itself(value):
        return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=float("inf")).rstrip("\n")
    return str(value)


def _means_itself(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and isinstance(resolve_scalar(text), str) and text.rstrip() == text


def _float(value: float) -> str:
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    return re.sub("e([+-])0*", lambda match: f"e{match[1].replace('+', '')}", repr(value))

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
    return "".join(f"{line}\n" for line in _mapping(value))


def _mapping(value: Mapping[str, Any]) -> Iterator[str]:
    for key, item in value.items():
        yield from _entry(key, item)


def _entry(key: str, item: Any) -> Iterator[str]:
    name = _scalar(key)
    if item is None and _is_class(key):
        yield f"{name}:"
    elif not isinstance(item, Mapping | list) or not item or _is_class(key) or _is_short(item):
        yield f"{name}: {_flow(item)}"
    else:
        yield f"{name}:"
        yield from (f"  {line}" for line in (_mapping(item) if isinstance(item, Mapping) else _list(item)))


def _list(items: list[Any]) -> Iterator[str]:
    for item in items:
        lines = _mapping(item) if isinstance(item, Mapping) and item else iter([_flow(item)])
        yield from (f"{'  ' if number else '- '}{line}" for number, line in enumerate(lines))


def _is_short(item: Any) -> bool:
    """Whether a value is written on the line of its key: what holds layers, or whole sections, is not."""
    inside = item.values() if isinstance(item, Mapping) else item
    holds_things = isinstance(item, list) and any(isinstance(value, Mapping) or _is_class(value) for value in inside)
    holds_mappings = (
        isinstance(item, Mapping)
        and not any(map(_is_class, item))
        and any(isinstance(value, Mapping | list) for value in inside)
    )
    return not holds_things and not holds_mappings and len(_flow(item)) <= LONGEST_FLOW


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

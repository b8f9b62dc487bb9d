"""A value from the config of a Keras object, as the language writes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

LONG_DECIMAL = 10
"""Characters of a number from which on it is tried as a fraction."""


def plain(value: Any) -> Any:
    """A value of lists, mappings and scalars of Python only, which can be compared.

    Example:
        >>> plain((np.float32(0.5), [np.str_("a")], np.arange(2)))
        [0.5, ['a'], [0, 1]]
    """
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def written(value: Any) -> Any:
    """A plain value as a person writes it: `6` for `6.0`, `$(1/255)` for `0.00392156862745098`, `$$` for a dollar.

    Example:
        >>> written([6.0, 1 / 255, 0.30000001192092896, "$5"])
        [6, '$(1/255)', 0.3, '$$5']
    """
    if isinstance(value, list):
        return [written(item) for item in value]
    if isinstance(value, dict):
        return {key: written(item) for key, item in value.items()}
    if isinstance(value, str):
        return f"${value}" if value.startswith("$") else value
    return _number(value) if isinstance(value, float) and math.isfinite(value) else value


def _number(value: float) -> Any:
    """The shortest way to write a number; one of 32 bits stays the same as such."""
    if value.is_integer() and abs(value) < 1e6:
        return int(value)
    is_single = float(np.float32(value)) == value
    short = min(value, float(str(np.float32(value))) if is_single else value, key=lambda number: len(repr(number)))
    if len(repr(short)) >= LONG_DECIMAL and (fraction := _fraction(value, is_single)):
        return fraction
    return short


def _fraction(value: float, is_single: bool) -> str | None:
    """`$(1/n)` for a whole or half `n`."""
    halves = round(2 / value)
    if not 2 < abs(halves) < 10_000:
        return None
    divisor = halves / 2
    same = float(np.float32(1 / divisor)) == value if is_single else 1 / divisor == value
    return f"$({'-' if divisor < 0 else ''}1/{abs(divisor):g})" if same else None

"""Which type a plain YAML scalar has: the core schema of YAML 1.2, so that `1e-3` is a number and `no` a text."""

from __future__ import annotations

import re

_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"([-+]?)(\.inf|\.Inf|\.INF)")
_NAN = re.compile(r"\.nan|\.NaN|\.NAN")

LONGEST_NUMBER = 100
"""Digits of the longest scalar that is read as a number; a longer one stays a text."""


def resolve_scalar(text: str) -> str | int | float | bool | None:
    """The value of a plain (unquoted) scalar.

    Example:
        >>> [resolve_scalar(text) for text in ("1e-3", "010", "0x1F", "no", "1:30", "~", "true", "-.inf")]
        [0.001, 10, 31, 'no', '1:30', None, True, -inf]

    Reference:
        YAML 1.2.2, section 10.3.2, "Tag Resolution".
    """
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    if len(text.lstrip("+-")) > LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
        return int(text, base=0)
    if _FLOAT.fullmatch(text) or _NAN.fullmatch(text):
        return float(text.replace(".nan", "nan").replace(".NaN", "nan").replace(".NAN", "nan"))
    if match := _INFINITY.fullmatch(text):
        return float(f"{match[1]}inf")
    return text

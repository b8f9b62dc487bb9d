"""What the value of an argument must be, in words."""

from __future__ import annotations

from typing import Any

from trainkit.config.expressions import is_expression
from trainkit.config.signatures import Argument


def broken_rule(value: Any, argument: Argument) -> str | None:
    """What a value should be, if it is not."""
    if value is None:
        return None if argument.optional else "given, not null"
    if argument.choices and argument.type not in ("number", "path", "texts"):
        return None if value in argument.choices else f"one of {', '.join(map(str, argument.choices))}"
    is_number = _is_number(value)
    if is_number and (bound := _broken_bound(value, argument)):
        return bound
    match argument.type:
        case "numbers by name" | "integers by name":
            return _broken_rule_of_names(value, argument)
        case "number" | "schedule":
            is_other = isinstance(value, str | bool | dict) and value not in argument.choices
            return f"{_or(argument)}a number" if is_other else None
        case "whole":
            return None if _is_whole(value) else "a whole number (`//` divides without a rest)"
        case "wholes":
            items = value if isinstance(value, list) else [value]
            return None if all(map(_is_whole, items)) else "a whole number, or a list of such"
        case "integer":
            return None if is_number and isinstance(value, int) else "a whole number"
        case "boolean":
            return None if isinstance(value, bool) else "true or false"
        case "text" | "path":
            return None if isinstance(value, str) else "a text"
        case "texts":
            ok = isinstance(value, list) and all(isinstance(item, str) for item in value)
            return None if ok or value in argument.choices else f"{_or(argument)}a list of texts (quote numbers)"
    return None


def _or(argument: Argument) -> str:
    """The words that may stand in place of a value."""
    return "".join(f"{choice}, or " for choice in argument.choices)


def _broken_rule_of_names(value: Any, argument: Argument) -> str | None:
    if not isinstance(value, dict) or not value:
        return "a mapping from patterns of layer names to numbers, {conv*: …}"
    whole = argument.type == "integers by name"
    kinds = int if whole else (int, float)
    right = [name for name, item in value.items() if _is_number(item) and isinstance(item, kinds)]
    broken = [name for name in value if name not in right or _broken_bound(value[name], argument)]
    return f"{'whole ' if whole else ''}numbers {_bounds(argument)}; see {broken[0]!r}" if broken else None


def _is_whole(value: Any) -> bool:
    return is_expression(value) or (_is_number(value) and float(value).is_integer())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _broken_bound(value: float, argument: Argument) -> str | None:
    broken = (
        argument.least is not None and not value >= argument.least,
        argument.most is not None and not value <= argument.most,
        argument.below is not None and not value < argument.below,
    )
    return _bounds(argument) if any(broken) else None


def _bounds(argument: Argument) -> str:
    bounds = {"at least": argument.least, "at most": argument.most, "less than": argument.below}
    return " and ".join(f"{name} {bound:g}" for name, bound in bounds.items() if bound is not None)

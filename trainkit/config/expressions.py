"""`$name` and `$(…)`: values that depend on the data or on other values, parsed and never run as Python."""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

from trainkit.registry import did_you_mean

LONGEST_EXPRESSION = 200
"""Characters of the longest `$(…)`."""

_NAME = re.compile(r"\$([a-z][a-z0-9_]*)")
_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max}
_KNOWS = "An expression knows numbers, names, + - * / // %, comparisons, and, or, not, min and max."


class ExpressionError(ValueError):
    """An expression cannot be read or computed; the message is for the user."""


def is_expression(value: object) -> bool:
    """Whether a value of the config stands for another: `$name` or `$(…)`, but not `$$text`."""
    return isinstance(value, str) and value.startswith("$") and not value.startswith("$$")


def check_expression(text: str, known: Collection[str]) -> None:
    """Read an expression without computing it.

    Args:
        text: `$name` or `$(…)`, the whole scalar.
        known: The names that will have a value.

    Raises:
        ExpressionError: If it cannot be read, or uses an unknown name.
    """
    parts = list(ast.walk(_parse(text)))
    called = [part.func for part in parts if isinstance(part, ast.Call)]
    for part in parts:
        if isinstance(part, ast.Name) and part.id not in known and part not in called:
            names = ", ".join(f"${name}" for name in sorted(known)) or "none"
            raise ExpressionError(f"unknown name '${part.id}'.{did_you_mean(part.id, known)} Known here: {names}.")


def evaluate(value: Any, scope: Mapping[str, Any]) -> Any:
    """Compute every expression in a value of the config, also inside lists and mappings.

    Raises:
        ExpressionError: If an expression cannot be computed.

    Example:
        >>> evaluate(["$classes", "$(4 * classes)", "$(1/255 < 1)", "$$5"], {"classes": 10})
        [10, 40, True, '$5']
    """
    if isinstance(value, dict):
        return {key: evaluate(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [evaluate(item, scope) for item in value]
    if not isinstance(value, str):
        return value
    if not is_expression(value):
        return value[1:] if value.startswith("$$") else value
    check_expression(value, scope.keys())
    try:
        return _compute(_parse(value), scope)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ExpressionError(f"{value!r} cannot be computed: {error}.") from error


def _parse(text: str) -> ast.expr:
    if match := _NAME.fullmatch(text):
        return ast.Name(match[1])
    if not (text.startswith("$(") and text.endswith(")")):
        cure = (
            " Quote an expression that holds a comma or bracket: '$(max(a, b))'."
            if text.startswith("$(")
            else " Write $name or $(…) as the whole value, or $$ for a dollar."
        )
        raise ExpressionError(f"must be an expression. Received: {text!r}.{cure}")
    if len(text) > LONGEST_EXPRESSION:
        raise ExpressionError(
            f"an expression must have at most {LONGEST_EXPRESSION} characters. Received: {len(text)}."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's, about `1if 2` and the like
            tree = ast.parse(text[2:-1].strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ExpressionError(f"must be an expression. Received: {text!r}. {_KNOWS}") from None
    if foreign := next((part for part in ast.walk(tree) if not _is_known(part)), None):
        shown = ast.unparse(foreign) if isinstance(foreign, ast.expr) else type(foreign).__name__
        raise ExpressionError(f"{shown!r} is not part of the expression language. Received: {text!r}. {_KNOWS}")
    return tree


def _is_known(part: ast.AST) -> bool:
    if isinstance(part, ast.Constant):
        return isinstance(part.value, int | float)
    if isinstance(part, ast.Call):
        return isinstance(part.func, ast.Name) and part.func.id in _FUNCTIONS and bool(part.args)
    structure = (ast.Name, ast.Load, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.And, ast.Or)
    return isinstance(part, structure) or type(part) in _OPERATORS


def _compute(part: ast.expr, scope: Mapping[str, Any]) -> Any:
    match part:
        case ast.Constant():
            return part.value
        case ast.Name():
            return scope[part.id]
        case ast.UnaryOp():
            return _OPERATORS[type(part.op)](_compute(part.operand, scope))
        case ast.BinOp():
            return _OPERATORS[type(part.op)](_compute(part.left, scope), _compute(part.right, scope))
        case ast.BoolOp():
            values = [_compute(value, scope) for value in part.values]
            return all(values) if isinstance(part.op, ast.And) else any(values)
        case ast.Compare():
            values = [_compute(value, scope) for value in (part.left, *part.comparators)]
            pairs = zip(part.ops, values[:-1], values[1:], strict=True)
            return all(_OPERATORS[type(op)](left, right) for op, left, right in pairs)
        case ast.Call(func=ast.Name(id=name)):
            return _FUNCTIONS[name](*(_compute(argument, scope) for argument in part.args))
        case _:
            raise TypeError(f"{ast.unparse(part)} is not part of the language")

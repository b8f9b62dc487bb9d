"""`$name` and `$(…)`: values that depend on the data or on other values, parsed and never run as Python."""

from __future__ import annotations

import ast
import keyword
import operator
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from trainkit.config.document import KeyPath
from trainkit.config.scalars import LONGEST_NUMBER
from trainkit.registry import did_you_mean

LONGEST_EXPRESSION = 200
"""Characters of the longest `$(…)`."""

_NAME = re.compile(r"\$([a-z][A-Za-z0-9_]*)")
_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda left, right: int(left // right),
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
_IN_TEXT = re.compile(r"\$(?:\$|([a-z][A-Za-z0-9_]*)|(\([^()]*(?:\([^()]*\)[^()]*)*\)))")
_EQUALITY = (ast.Eq, ast.NotEq)


class ExpressionError(ValueError):
    """An expression cannot be read or computed; the message is for the user."""


def is_word_of_expressions(name: str) -> bool:
    """Whether a name stands for something else in an expression, so that no value may have it: `min`, `not`, `in`.

    Example:
        >>> [name for name in ("min", "minimum", "not", "lambda") if is_word_of_expressions(name)]
        ['min', 'not', 'lambda']
    """
    return name in _FUNCTIONS or keyword.iskeyword(name)


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
    _require(_names_in(_parse(text)), known)


def expression_problems(value: Any, known: Collection[str], path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with the expressions in a value, each with its path from the value."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from expression_problems(item, known, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from expression_problems(item, known, (*path, key))
    elif is_expression(value):
        try:
            check_expression(value, known)
        except ExpressionError as error:
            yield path, str(error)


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
    return _computed(value, _parse(value), scope)


def substitute(value: Any, scope: Mapping[str, Any]) -> Any:
    """Put values in the place of names, also inside lists and mappings; other names wait for theirs.

    Args:
        value: A value of the config.
        scope: What some names stand for: a value, or an expression that waits itself.

    Raises:
        ExpressionError: If an expression cannot be read, or has all its values and cannot be computed.

    Example:
        >>> substitute(["$f", "$(2 * f)", "$(f + classes)"], {"f": "$(classes // 2)"})
        ['$(classes // 2)', '$(2 * (classes // 2))', '$(classes // 2 + classes)']
    """
    if isinstance(value, dict):
        return {key: substitute(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, scope) for item in value]
    if not is_expression(value):
        return value
    tree = _parse(value)
    if isinstance(tree, ast.Name):
        return scope.get(tree.id, value)
    names = _names_in(tree)
    waiting = {name: scope[name] for name in names if name in scope and is_expression(scope[name])}
    if not waiting and all(name in scope for name in names):
        return _computed(value, tree, scope)
    replaced = _Substitution(scope).visit(ast.parse(ast.unparse(tree), mode="eval").body)
    return f"$({ast.unparse(replaced)})"


def substitute_text(text: str, scope: Mapping[str, Any]) -> str:
    """Put values in the place of `$name` and `$(…)` inside a text: `down$i.skip`.

    Raises:
        ExpressionError: If a name is unknown, or its value is no number and no text.

    Example:
        >>> substitute_text("down$i.skip$(5 - i)", {"i": 3})
        'down3.skip2'
    """

    def put(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        value = evaluate(match[0], scope)
        if is_expression(value):
            raise ExpressionError(f"{value} is known only when the data are read: it cannot be part of a name.")
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ExpressionError(f"{match[0]} must be a whole number or a text, to be part of a name: {value!r}.")
        return str(value)

    return _IN_TEXT.sub(put, text)


def names_in_text(text: str) -> set[str]:
    """The names that the expressions inside a text use."""
    return {name for match in _IN_TEXT.finditer(text) if match[0] != "$$" for name in _names_in(_parse(match[0]))}


class _Substitution(ast.NodeTransformer):
    """Puts values, and expressions that wait, in the place of names."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._scope = scope

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._scope or node.id in _FUNCTIONS:
            return node
        value = self._scope[node.id]
        if is_expression(value):
            return _parse(value)
        if not isinstance(value, int | float | str):
            raise ExpressionError(f"${node.id} is {value!r}: an expression takes numbers.")
        return ast.Constant(value)


def _names_in(tree: ast.expr) -> list[str]:
    parts = list(ast.walk(tree))
    called = [part.func for part in parts if isinstance(part, ast.Call)]
    return [part.id for part in parts if isinstance(part, ast.Name) and part not in called]


def _require(names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            listed = ", ".join(f"${name}" for name in sorted(known)) or "none"
            raise ExpressionError(f"unknown name '${name}'.{did_you_mean(name, known)} Known here: {listed}.")


def _computed(text: str, tree: ast.expr, scope: Mapping[str, Any]) -> Any:
    try:
        return _compute(tree, scope)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ExpressionError(f"{text!r} cannot be computed: {error}.") from error


@lru_cache(maxsize=4096)
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
        return isinstance(part.value, int | float | str)
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
            return _OPERATORS[type(part.op)](_number(part.operand, scope))
        case ast.BinOp():
            return _bounded(_OPERATORS[type(part.op)](_number(part.left, scope), _number(part.right, scope)))
        case ast.BoolOp():
            found = (_compute(value, scope) for value in part.values)  # no more than are needed
            return all(found) if isinstance(part.op, ast.And) else any(found)
        case ast.Compare():
            take = _compute if all(isinstance(op, _EQUALITY) for op in part.ops) else _number
            values = [take(value, scope) for value in (part.left, *part.comparators)]
            pairs = zip(part.ops, values[:-1], values[1:], strict=True)
            return all(_OPERATORS[type(op)](left, right) for op, left, right in pairs)
        case ast.Call(func=ast.Name(id=name)):
            return _FUNCTIONS[name](*(_number(argument, scope) for argument in part.args))
        case _:
            raise TypeError(f"{ast.unparse(part)} is not part of the language")


def _number(part: ast.expr, scope: Mapping[str, Any]) -> Any:
    """What can be calculated with: a text times a number would be a longer text."""
    value = _compute(part, scope)
    if not isinstance(value, int | float):
        raise TypeError(f"{ast.unparse(part)} is {value!r}, not a number")
    return value


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and abs(value) >= 10**LONGEST_NUMBER:
        raise ArithmeticError(f"the number has more than {LONGEST_NUMBER} digits")
    return value

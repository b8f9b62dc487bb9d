"""The settings beside a Capitalised key: `name inputs repeat for_each when`, and `share`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.config.document import KeyPath
from trainkit.config.expressions import (
    ExpressionError,
    expression_problems,
    is_expression,
    is_word_of_expressions,
    names_in_text,
)
from trainkit.config.node import SHARE
from trainkit.config.scope import Scope
from trainkit.errors import shown
from trainkit.registry import did_you_mean

Found = Iterator[tuple[KeyPath, str, bool]]
"""Problems: where, seen from the node, what, and whether the key is at fault."""

KNOWN_VALUES = {
    "layer": ("classes", "tokens"),
    "metric": ("classes",),
    "schedule": ("classes", "epochs", "steps", "steps_per_epoch"),
}
"""The names that `$name` may use in things of a kind: facts of the data and of the training."""

WORD_RULE = "the name {name!r} stands for something else in expressions: choose another."
NAME_RULE = "begin with a small letter and have letters, digits and _ only"


@dataclass
class NodeSettings:
    """What stands beside a Capitalised key; see `Node`."""

    name: str | None = None
    inputs: Any = None
    repeat: int | str | None = None
    for_each: dict[str, Any] | None = None
    when: bool | str = True
    share: str | None = None

    @property
    def variables(self) -> list[str]:
        """The names that `for_each` gives a value."""
        return list(self.for_each or {})


def is_node_name(name: object) -> bool:
    """Whether a layer or metric may be called so."""
    return isinstance(name, str) and name[:1].islower() and name.isascii() and name.isidentifier()


def parse_settings(written: Mapping[str, Any], scope: Scope) -> tuple[NodeSettings, list[tuple[KeyPath, str, bool]]]:
    """Read the settings of a node.

    Returns:
        The settings, those with problems left out, and all problems.
    """
    scope = scope.with_values(_facts_in(written))  # that they come too late is told where they are needed
    settings = NodeSettings()
    problems = [*_for_each(written, settings, scope)]
    inner = scope.with_values(settings.variables).values
    for key, check in (("repeat", _repeat), ("when", _when), ("name", _name), ("inputs", _inputs), (SHARE, _share)):
        value = written.get(key)
        if value is not None or (key == SHARE and key in written):
            found = [*check(key, value, scope.values if key == "repeat" else inner)]
            problems += found
            if not found:
                setattr(settings, key, value)
    if settings.repeat is not None and settings.for_each is not None:
        problems.append((("repeat",), "must not stand beside for_each, which says how often.", True))
    if settings.inputs is not None and written.get("branches") is not None:
        problems.append((("inputs",), "must not stand beside branches, whose ends are the inputs.", True))
    return settings, problems


def _facts_in(written: Mapping[str, Any]) -> set[str]:
    """The facts of the data that the settings of a node name."""
    words = re.findall(r"\w+", f"{written.get('repeat')} {written.get('for_each')} {written.get('when')}")
    return {*words} & {*KNOWN_VALUES["layer"]}


def _repeat(key: str, value: Any, known: Collection[str]) -> Found:
    if is_expression(value):
        yield from _expression(key, value, known)
    elif not isinstance(value, int) or isinstance(value, bool) or value < 0:
        yield (key,), f"must be a whole number, at least 0. Received: {key}={shown(value)}.", False


def _when(key: str, value: Any, known: Collection[str]) -> Found:
    if is_expression(value):
        yield from _expression(key, value, known)
    elif not isinstance(value, bool):
        yield (key,), f"must be true, false or an expression. Received: {key}={shown(value)}.", False


def _name(key: str, value: Any, known: Collection[str]) -> Found:
    if isinstance(value, str) and "$" in value:
        yield from _text(key, value, known)
    elif not is_node_name(value):
        yield (key,), f"must {NAME_RULE}. Received: {key}={shown(value)}.", False


def _share(key: str, value: Any, known: Collection[str]) -> Found:
    if not isinstance(value, str):
        message = f"must be the name of a layer or block above. Received: {key}={shown(value)}."
        yield (key,), message, False
    else:
        yield from _text(key, value, known)


def _inputs(key: str, value: Any, known: Collection[str]) -> Found:
    if not _are_inputs(value):
        message = "must be the name of a layer, a list of names, or a mapping from call arguments to names."
        yield (key,), f"{message} Received: {key}={shown(value)}.", False
        return
    for path, name in written_references(value):
        for at, message, of_key in _text(key, name, known):
            yield (*at, *path), message, of_key


def _are_inputs(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_are_names(item) for item in value.values())
    return _are_names(value)


def _are_names(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
    )


def written_references(inputs: Any) -> list[tuple[KeyPath, str]]:
    """The names that the `inputs` of a layer use, each with its path from `inputs`."""
    if isinstance(inputs, str):
        return [((), inputs)]
    items = inputs.items() if isinstance(inputs, Mapping) else enumerate(inputs)
    return [((key, *path), name) for key, item in items for path, name in written_references(item)]


def _for_each(written: Mapping[str, Any], settings: NodeSettings, scope: Scope) -> Found:
    value = written.get("for_each")
    if value is None:
        return
    if not isinstance(value, dict) or not value:
        message = "must be a mapping from names to lists of values: {f: [16, 32], n: [1, 2]}."
        yield ("for_each",), f"{message} Received: for_each={shown(value)}.", False
        return
    settings.for_each = value
    lengths = {}
    for name, items in value.items():
        at = ("for_each", name)
        if not is_node_name(name):
            yield at, f"the name must {NAME_RULE}. Received: {name!r}.", True
        elif is_word_of_expressions(name):
            yield at, WORD_RULE.format(name=name), True
        elif name in scope.values:
            yield at, f"the name {name!r} is taken already, by what stands around it: choose another.", True
        yield from (((*at, *path), told, False) for path, told in expression_problems(items, scope.values))
        if isinstance(items, list):
            lengths[name] = len(items)
        elif not is_expression(items):
            yield at, f"must be a list of values, or the name of one. Received: {shown(items)}.", False
    yield from ((("for_each",), message, False) for message in unequal(lengths))


def unequal(lengths: Mapping[str, int]) -> list[str]:
    """What is wrong with lists that are gone through side by side, if they are not of one length."""
    if len(set(lengths.values())) < 2:
        return []
    told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
    return [f"must have lists of one length, which are gone through side by side. Received: {told}."]


def _expression(key: str, value: Any, known: Collection[str]) -> Found:
    yield from (((key, *path), message, False) for path, message in expression_problems(value, known))


def _text(key: str, value: str, known: Collection[str]) -> Found:
    try:
        names = names_in_text(value)
    except ExpressionError as error:
        yield (key,), str(error), False
        return
    for name in sorted(names - set(known)):
        listed = ", ".join(f"${one}" for one in sorted(known)) or "none"
        yield (key,), f"unknown name '${name}'.{did_you_mean(name, known)} Known here: {listed}.", False

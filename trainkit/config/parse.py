"""A value of a config -> Node, and the checks that need no TensorFlow."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from trainkit.config.document import KeyPath
from trainkit.config.expressions import ExpressionError, evaluate, expression_problems, is_expression
from trainkit.config.node import SETTINGS, SHARE, Node
from trainkit.config.node_settings import KNOWN_VALUES, parse_settings
from trainkit.config.rules import broken_rule
from trainkit.config.scope import Scope
from trainkit.config.signatures import BY_NAME, NODE_TYPES, Argument, Signature, known_names
from trainkit.errors import shown, with_article
from trainkit.registry import did_you_mean

_KINDS = ("layer", "optimizer", "loss", "metric", "callback")
"""Where a name is looked for that stands in the wrong place."""


@dataclass(frozen=True)
class NodeProblem:
    """A problem inside a node; `path` starts at the node."""

    path: KeyPath
    message: str
    of_key: bool = False

    def below(self, *path: str | int) -> NodeProblem:
        """The same, seen from what holds the node."""
        return NodeProblem((*path, *self.path), self.message, self.of_key)


Parsed = tuple[Any, list[NodeProblem]]
"""A value, and all problems found in it."""


def looks_like_node(value: object) -> bool:
    """Whether a value of a config is a node: a Capitalised name, alone or as the key of a mapping."""
    if isinstance(value, dict):
        return any(_is_capitalised(key) for key in value)
    return isinstance(value, str) and _is_capitalised(value)


def parse_node(value: Any, kind: str, scope: Scope | None = None) -> tuple[Node | None, list[NodeProblem]]:
    """Read a node and check its name, its arguments and its references.

    Args:
        value: As it is written.
        kind: What it must be.
        scope: The names that the config itself brings.

    Returns:
        The node, or None where it cannot be made out, and all problems found.
    """
    scope = scope or Scope()
    class_name, arguments, written, problems = _take_apart(value, kind, scope)
    if class_name is None:
        return None, problems
    settings, wrong = parse_settings(written, scope)
    problems += [NodeProblem(*one) for one in wrong]
    if class_name == SHARE:
        return Node(kind, class_name, **vars(settings)), problems
    at = (class_name,) if isinstance(value, dict) else ()
    definition = scope.definition(kind, class_name)
    if definition is None and class_name not in known_names(kind):
        problems.append(NodeProblem(at, _unknown_name(class_name, kind, scope), of_key=bool(at)))
        return None, problems
    signature = definition.signature if definition else known_names(kind)[class_name]
    inner, checked = scope.with_values([*settings.variables, *KNOWN_VALUES.get(kind, ())]), {}
    for key, item in _without_torn(arguments).items():
        if (argument := signature.get(key)) is None:
            message = _unknown_argument(key, class_name, kind, signature)
            problems.append(NodeProblem((*at, key), message, of_key=True))
            continue
        checked[key], found = parse_argument(key, item, argument, kind, inner)
        problems += [problem.below(*at, key) for problem in found]
    if missing := _missing_arguments(value, class_name, signature, problems):
        problems.append(NodeProblem(at, f"{class_name} needs {_listed(missing)}", of_key=bool(at)))
    branches, found = _parse_branches(written.get("branches"), kind, scope.with_values(settings.variables))
    node = Node(kind, class_name, checked, branches=branches, definition=definition, **vars(settings))
    return node, [*problems, *found]


def parse_argument(key: str, value: Any, argument: Argument, kind: str, scope: Scope) -> Parsed:
    """Read an argument of a node of some kind: a value, or a node."""
    of_kind = NODE_TYPES.get(argument.type)
    if argument.type == "layers" and isinstance(value, list):
        parsed = [
            _expression(item, scope) if is_expression(item) else _parse_inner(item, "layer", scope) for item in value
        ]
        return [node for node, _ in parsed], [p.below(index) for index, (_, ps) in enumerate(parsed) for p in ps]
    is_share = of_kind == "layer" and isinstance(value, dict) and SHARE in value
    if of_kind and (looks_like_node(value) or is_share):
        return _parse_inner(value, of_kind, scope)
    if looks_like_node(value) and isinstance(value, dict) and argument.type not in BY_NAME:
        if argument.of_block:
            return value, [NodeProblem(*found) for found in expression_problems(value, scope.values)]
        name = next(key for key in value if _is_capitalised(key))
        return value, [NodeProblem((name,), f"{key} takes a value, nothing that gets built.", of_key=True)]
    if argument.type == "path":
        return value, _problem_of_value(key, value, argument)
    problems = [NodeProblem(*found) for found in expression_problems(value, scope.values)]
    if not problems and is_expression(value) and not scope.values:  # nothing to wait for
        try:
            value = evaluate(value, {})
        except ExpressionError as error:
            problems.append(NodeProblem((), str(error)))
    if not problems and not is_expression(value):
        problems = _problem_of_value(key, value, argument)
    return value, problems


def _problem_of_value(key: str, value: Any, argument: Argument) -> list[NodeProblem]:
    rule = broken_rule(value, argument)
    return [NodeProblem((), f"must be {rule}. Received: {key}={shown(value)}.")] if rule else []


def _expression(value: str, scope: Scope) -> Parsed:
    """What waits for a parameter."""
    return value, [NodeProblem(*found) for found in expression_problems(value, scope.values)]


def _parse_inner(value: Any, kind: str, scope: Scope) -> Parsed:
    node, problems = parse_node(value, kind, scope)
    if node and node.class_name == SHARE:
        message = "a layer inside another must be its own: `share` stands among the layers of a network or block only."
        problems = [NodeProblem((), message)]
    elif node and any(key in value for key in SETTINGS["layer"][1:]):
        message = f"a layer inside another takes what that gives it: it has no {', '.join(SETTINGS['layer'][1:])}."
        problems.append(NodeProblem((), message))
    return node, problems


def _parse_branches(value: Any, kind: str, scope: Scope) -> Parsed:
    """Lists of layers; an empty one passes on what stands before the merging layer."""
    if value is None:
        return None, []
    if not isinstance(value, list) or not value or not all(isinstance(branch, list | None) for branch in value):
        message = "must be a list of branches, each a list of layers (`- - Conv2D: …`) or [] to pass the input on."
        return None, [NodeProblem(("branches",), f"{message} Received: {shown(value)}.")]
    branches: list[list[Node]] = []
    problems = []
    for number, written in enumerate(value):
        branches.append([])
        for index, item in enumerate(written or []):
            node, found = parse_node(item, kind, scope)
            branches[-1] += [node] if node else []
            problems += [problem.below("branches", number, index) for problem in found]
    return branches, problems


def _take_apart(
    value: Any, kind: str, scope: Scope
) -> tuple[str | None, dict[str, Any], dict[str, Any], list[NodeProblem]]:
    """The Capitalised key, the arguments under it, the settings beside it."""
    if isinstance(value, str):
        return value, {}, {}, []
    if not isinstance(value, dict):
        message = (
            f"must be {with_article(kind)}: a Capitalised name, alone or with arguments. Received: {shown(value)}."
        )
        return None, {}, {}, [NodeProblem((), message)]
    names = [key for key in value if _is_capitalised(key) or (key == SHARE and kind == "layer")]
    if len(names) != 1:
        keys = ", ".join(shown(key) for key in [*value][:8]) or "none"
        near = did_you_mean(next(iter(value)), scope.names(kind)) if len(value) == 1 else ""
        rule = "one Capitalised key, or `share` in its place" if SHARE in names else "exactly one Capitalised key"
        message = f"must be {with_article(kind)}: a mapping with {rule}. Received: the keys {keys}.{near}"
        return None, {}, {}, [NodeProblem((), message)]
    allowed = [key for key in SETTINGS.get(kind, ()) if names[0] != SHARE or key != "branches"]
    problems = [_unknown_setting(key, names[0], kind, allowed, scope) for key in value if key not in (*names, *allowed)]
    settings = {key: value[key] for key in (*allowed, SHARE) if key in value}
    arguments = value[names[0]]
    if arguments is None or names[0] == SHARE:
        arguments = {}
    if not isinstance(arguments, dict):
        message = f"arguments must be a mapping, {{name: value}}. Received: {shown(arguments)}."
        problems.append(NodeProblem((names[0],), message))
        arguments = {}
    return names[0], arguments, settings, problems


def _unknown_setting(key: str, class_name: str, kind: str, allowed: list[str], scope: Scope) -> NodeProblem:
    knows = key in scope.names(kind).get(class_name, {})
    cure = f" Indent it further to make it an argument of {class_name}." if knows else ""
    beside = f"Beside {class_name} may stand: {', '.join(allowed) or 'nothing'}."
    return NodeProblem((key,), f"unknown key. {beside}{did_you_mean(key, allowed)}{cure}", of_key=True)


def _without_torn(arguments: dict[str, Any]) -> dict[str, Any]:
    """Leave out the keys without a value that an unquoted `$(max(a, b))` falls apart into: `b))` is one."""
    kept, is_torn = {}, False
    for key, item in arguments.items():
        if is_torn and item is None:
            continue
        kept[key] = item
        is_torn = isinstance(item, str) and item.startswith("$(") and not item.endswith(")")
    return kept


def _missing_arguments(
    value: Any, class_name: str, signature: Signature, problems: Collection[NodeProblem]
) -> list[str]:
    """The required arguments that are nowhere: not misspelled, not beside the class, not in a list instead."""
    written = value[class_name] if isinstance(value, dict) else None
    if not isinstance(written, dict | None):
        return []
    misspelled = " ".join(problem.message for problem in problems)
    return [
        key
        for key, argument in signature.items()
        if argument.required
        and key not in (written or {})
        and not (isinstance(value, dict) and key in value)
        and did_you_mean(key, [key]) not in misspelled
    ]


def _unknown_name(name: str, kind: str, scope: Scope) -> str:
    elsewhere = [other for other in _KINDS if name in scope.names(other)]
    if elsewhere:
        return f"unknown {kind}. {name} is {with_article(elsewhere[0])}."
    names = scope.names(kind)
    near = did_you_mean(name, names)
    known = "" if near else f" Known: {_listed(list(names), most=12)}"
    return f"unknown {kind}. Received: {shown(name)}.{near}{known}"


def _unknown_argument(key: str, class_name: str, kind: str, known: Signature) -> str:
    if key == "name":
        where = f"Write `name:` beside {class_name}, at its indentation." if kind in SETTINGS else "It has no name."
        return f"{class_name} takes no name among its arguments. {where}"
    if key in SETTINGS.get(kind, ()):
        return f"unknown argument. Write `{key}:` beside {class_name}, at its indentation."
    takes = f"{class_name} takes {_listed(list(known), most=8)}" if known else f"{class_name} takes no arguments."
    return f"unknown argument. {takes}{did_you_mean(key, known)}"


def _listed(names: list[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else ".")


def _is_capitalised(key: object) -> bool:
    return isinstance(key, str) and key[:1].isupper()

"""A value of a config -> Node, and the checks that need no TensorFlow."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from trainkit.config.document import KeyPath
from trainkit.config.expressions import ExpressionError, check_expression, evaluate, is_expression
from trainkit.config.node import SETTINGS, Node
from trainkit.config.signatures import BY_NAME, NODE_TYPES, Argument, Signature, known_names
from trainkit.errors import shown
from trainkit.registry import did_you_mean

KNOWN_VALUES = {
    "layer": ("classes", "tokens"),
    "metric": ("classes",),
    "schedule": ("classes", "epochs", "steps", "steps_per_epoch"),
}
"""The names that `$name` may use in things of a kind: facts of the data and of the training."""


@dataclass(frozen=True)
class NodeProblem:
    """A problem inside a node; `path` starts at the node."""

    path: KeyPath
    message: str
    of_key: bool = False


def looks_like_node(value: object) -> bool:
    """Whether a value of a config is a node: a Capitalised name, alone or as the key of a mapping."""
    if isinstance(value, dict):
        return any(_is_capitalised(key) for key in value)
    return isinstance(value, str) and _is_capitalised(value)


def parse_node(value: Any, kind: str) -> tuple[Node | None, list[NodeProblem]]:
    """Read a node and check its name, its arguments and its references.

    Returns:
        The node, or None where it cannot be made out, and all problems found.
    """
    class_name, arguments, settings, problems = _take_apart(value, kind)
    if class_name is None:
        return None, problems
    at = (class_name,) if isinstance(value, dict) else ()
    known = known_names(kind)
    if class_name not in known:
        problems.append(NodeProblem(at, _unknown_name(class_name, kind), of_key=bool(at)))
        return None, problems
    checked = {}
    for key, item in _without_torn(arguments).items():
        if (argument := known[class_name].get(key)) is None:
            problems.append(NodeProblem((*at, key), _unknown_argument(key, class_name, kind), of_key=True))
            continue
        checked[key], found = _parse_argument(key, item, argument, kind)
        problems.extend(NodeProblem((*at, key, *problem.path), problem.message, problem.of_key) for problem in found)
    if missing := _missing_arguments(value, class_name, known[class_name], problems):
        problems.append(NodeProblem(at, f"{class_name} needs {_listed(missing)}", of_key=bool(at)))
    name, inputs = settings.get("name"), settings.get("inputs")
    if name is not None and not is_node_name(name):
        problems.append(NodeProblem(("name",), f"must {_NAME_RULE}. Received: name={shown(name)}."))
    if inputs is not None and not _are_inputs(inputs):
        message = "must be the name of a layer, a list of names, or a mapping from call arguments to names."
        problems.append(NodeProblem(("inputs",), f"{message} Received: inputs={shown(inputs)}."))
    branches, found = _parse_branches(settings.get("branches"), kind)
    problems.extend(found)
    if inputs is not None and branches is not None:
        problems.append(NodeProblem(("inputs",), "must not stand beside branches, whose ends are the inputs.", True))
    return Node(kind, class_name, checked, name, inputs, branches), problems


def is_node_name(name: object) -> bool:
    """Whether a layer or metric may be called so."""
    return isinstance(name, str) and name[:1].islower() and name.isascii() and name.isidentifier()


_NAME_RULE = "begin with a small letter and have letters, digits and _ only"


def _are_inputs(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(isinstance(item, str) for item in value.values())
    return isinstance(value, str) or (isinstance(value, list) and bool(value) and all(map(_is_text, value)))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _parse_branches(value: Any, kind: str) -> tuple[list[list[Node]] | None, list[NodeProblem]]:
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
            node, found = parse_node(item, kind)
            branches[-1] += [node] if node else []
            at = ("branches", number, index)
            problems += [NodeProblem((*at, *problem.path), problem.message, problem.of_key) for problem in found]
    return branches, problems


def _take_apart(value: Any, kind: str) -> tuple[str | None, dict[str, Any], dict[str, Any], list[NodeProblem]]:
    if isinstance(value, str):
        return value, {}, {}, []
    if not isinstance(value, dict):
        message = f"must be {_a(kind)}: a Capitalised name, alone or with arguments. Received: {shown(value)}."
        return None, {}, {}, [NodeProblem((), message)]
    names = [key for key in value if _is_capitalised(key)]
    if len(names) != 1:
        keys = ", ".join(shown(key) for key in [*value][:8]) or "none"
        near = did_you_mean(next(iter(value)), known_names(kind)) if len(value) == 1 else ""
        message = f"must be {_a(kind)}: a mapping with exactly one Capitalised key. Received: the keys {keys}.{near}"
        return None, {}, {}, [NodeProblem((), message)]
    problems = []
    allowed = SETTINGS.get(kind, ())
    for key in value:
        if key != names[0] and key not in allowed:
            cure = f" Indent it further to make it an argument of {names[0]}." if _knows(kind, names[0], key) else ""
            beside = f"Beside {names[0]} may stand: {', '.join(allowed) or 'nothing'}."
            near = did_you_mean(key, allowed)
            problems.append(NodeProblem((key,), f"unknown key. {beside}{near}{cure}", of_key=True))
    arguments = value[names[0]]
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        message = f"arguments must be a mapping, {{name: value}}. Received: {shown(arguments)}."
        problems.append(NodeProblem((names[0],), message))
        arguments = {}
    return names[0], arguments, {key: value[key] for key in allowed if key in value}, problems


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


def _parse_argument(key: str, value: Any, argument: Argument, kind: str) -> tuple[Any, list[NodeProblem]]:
    if argument.type in NODE_TYPES and looks_like_node(value):
        node, problems = parse_node(value, argument.type)
        if node and (node.inputs is not None or node.branches is not None):
            message = "a layer inside another takes what that gives it: it has no inputs, no branches."
            problems.append(NodeProblem((), message))
        return node, problems
    if looks_like_node(value) and isinstance(value, dict) and argument.type not in BY_NAME:
        name = next(key for key in value if _is_capitalised(key))
        return value, [NodeProblem((name,), f"{key} takes a value, nothing that gets built.", of_key=True)]
    problems = list(_expression_problems(value, KNOWN_VALUES.get(kind, ())))
    if not problems and kind not in KNOWN_VALUES:  # nothing to wait for
        try:
            value = evaluate(value, {}) if is_expression(value) else value
        except ExpressionError as error:
            problems.append(NodeProblem((), str(error)))
    if not problems and not is_expression(value) and (rule := _broken_rule(value, argument)):
        problems.append(NodeProblem((), f"must be {rule}. Received: {key}={shown(value)}."))
    return value, problems


def _broken_rule(value: Any, argument: Argument) -> str | None:
    """What a value should be, if it is not."""
    if value is None:
        return None if argument.optional else "given, not null"
    if argument.choices:
        return None if value in argument.choices else f"one of {', '.join(map(str, argument.choices))}"
    is_number = _is_number(value)
    if is_number and (bound := _broken_bound(value, argument)):
        return bound
    match argument.type:
        case "numbers by name" | "integers by name":
            return _broken_rule_of_names(value, argument)
        case "number" | "schedule":
            return "a number" if isinstance(value, str | bool | dict) else None
        case "integer":
            return None if is_number and isinstance(value, int) else "a whole number"
        case "boolean":
            return None if isinstance(value, bool) else "true or false"
        case "text" | "path":
            return None if isinstance(value, str) else "a text"
        case "texts":
            ok = isinstance(value, list) and all(isinstance(item, str) for item in value)
            return None if ok else "a list of texts (quote numbers)"
    return None


def _broken_rule_of_names(value: Any, argument: Argument) -> str | None:
    if not isinstance(value, dict) or not value:
        return "a mapping from patterns of layer names to numbers, {conv*: …}"
    whole = argument.type == "integers by name"
    kinds = int if whole else (int, float)
    right = [name for name, item in value.items() if _is_number(item) and isinstance(item, kinds)]
    broken = [name for name in value if name not in right or _broken_bound(value[name], argument)]
    return f"{'whole ' if whole else ''}numbers {_bounds(argument)}; see {broken[0]!r}" if broken else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _broken_bound(value: float, argument: Argument) -> str | None:
    too_small = argument.least is not None and not value >= argument.least
    too_large = argument.below is not None and not value < argument.below
    return _bounds(argument) if too_small or too_large else None


def _bounds(argument: Argument) -> str:
    above = [] if argument.least is None else [f"at least {argument.least:g}"]
    return " and ".join([*above, *([] if argument.below is None else [f"less than {argument.below:g}"])])


def _expression_problems(value: Any, known: Collection[str], path: KeyPath = ()) -> Iterator[NodeProblem]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _expression_problems(item, known, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _expression_problems(item, known, (*path, key))
    elif is_expression(value):
        try:
            check_expression(value, known)
        except ExpressionError as error:
            yield NodeProblem(path, str(error))


def _unknown_name(name: str, kind: str) -> str:
    elsewhere = [other for other in ("layer", "optimizer", "loss", "metric", "callback") if name in known_names(other)]
    if elsewhere:
        return f"unknown {kind}. {name} is {_a(elsewhere[0])}."
    near = did_you_mean(name, known_names(kind))
    known = "" if near else f" Known: {_listed(list(known_names(kind)), most=12)}"
    return f"unknown {kind}. Received: {shown(name)}.{near}{known}"


def _unknown_argument(key: str, class_name: str, kind: str) -> str:
    known = known_names(kind)[class_name]
    if key == "name":
        where = f"Write `name:` beside {class_name}, at its indentation." if kind in SETTINGS else "It has no name."
        return f"{class_name} takes no name among its arguments. {where}"
    if key in SETTINGS.get(kind, ()):
        return f"unknown argument. Write `{key}:` beside {class_name}, at its indentation."
    takes = f"{class_name} takes {_listed(list(known), most=8)}" if known else f"{class_name} takes no arguments."
    return f"unknown argument. {takes}{did_you_mean(key, known)}"


def _knows(kind: str, class_name: str, key: str) -> bool:
    return key in known_names(kind).get(class_name, {})


def _listed(names: list[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else ".")


def _is_capitalised(key: object) -> bool:
    return isinstance(key, str) and key[:1].isupper()


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"

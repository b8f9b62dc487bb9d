"""Values of parameters and loops, put where their names stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from trainkit.config.block import Block
from trainkit.config.document import KeyPath
from trainkit.config.expressions import ExpressionError, is_expression, substitute, substitute_text
from trainkit.config.node import Node
from trainkit.config.parse import parse_argument
from trainkit.config.place import Place
from trainkit.config.yaml_reader import LARGEST_EXPANSION

Resolve = Callable[[Node, Place], Node]
"""From a layer inside another, and where that stands, to what is built there."""


class BindingError(ExpressionError):
    """A value does not fit where its name stands; `path` starts at the node."""

    def __init__(self, path: KeyPath, message: str) -> None:
        super().__init__(message)
        self.path = path


def bind(node: Node, block: Block, values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a block that a node uses.

    Args:
        node: With the arguments, as they are written.
        block: The block.
        values: What `$name` stands for where the node stands.

    Raises:
        ExpressionError: If an argument cannot be computed.
    """
    bound: dict[str, Any] = {}
    for name, default in block.params.items():
        given = name in node.arguments
        try:
            bound[name] = substitute(node.arguments[name], values) if given else substitute(default, bound)
        except ExpressionError as error:
            path, told = ((node.class_name, name), "") if given else ((), f"the default of {name!r}: ")
            raise BindingError(path, f"{told}{error}") from error
        if _size(bound[name]) > LARGEST_EXPANSION:
            message = f"{name!r} holds more than {LARGEST_EXPANSION:,} values."
            raise BindingError((node.class_name, name) if given else (), message)
    return bound


def _size(value: Any, most: int = LARGEST_EXPANSION) -> int:
    """How many values a value holds; counting ends where that is more than `most`."""
    if not isinstance(value, dict | list):
        return 1
    size = 1
    for item in value.values() if isinstance(value, dict) else value:
        size += _size(item, most - size)
        if size > most:
            break
    return size


def copy_node(node: Node, place: Place, resolve: Resolve, users: tuple[Node, ...] = ()) -> Node:
    """A node with values put in; the node itself, if there is nothing to put in and no block around it.

    Args:
        node: As it is written.
        place: Where it stands.
        resolve: What becomes of layers among the arguments.
        users: The nodes that use the blocks around it.

    Raises:
        ExpressionError: If a value does not fit.
    """
    arguments = {}
    for key, item in node.arguments.items():
        try:
            arguments[key] = _put(node, key, item, place, resolve)
        except ExpressionError as error:
            raise BindingError((node.class_name, key, *getattr(error, "path", ())), str(error)) from error
    if not users and all(item is node.arguments[key] for key, item in arguments.items()):
        return node
    return replace(node, arguments=arguments, origin=node.origin or node, users=users)


def _put(node: Node, key: str, item: Any, place: Place, resolve: Resolve) -> Any:
    if isinstance(item, Node):
        return resolve(item, place) if item.kind == "layer" else copy_node(item, place, resolve)
    if isinstance(item, list) and _holds_nodes(item):
        return [_put(node, key, one, place, resolve) for one in item]
    if node.signature[key].type == "path":  # in which `$` is the environment's
        return item
    value = substitute(item, place.values)
    if value == item:
        return item
    value, problems = parse_argument(key, value, node.signature[key], node.kind, place.blocks.scope)
    if problems:
        raise ExpressionError(problems[0].message)
    # what a parameter stands for has its values: they are of the place where it was given
    return _put(node, key, value, replace(place, values={}), resolve) if _holds_nodes(value) else value


def _holds_nodes(value: Any) -> bool:
    return isinstance(value, Node) or (isinstance(value, list) and any(isinstance(one, Node) for one in value))


def known_now(setting: str, value: Any, values: Mapping[str, Any]) -> Any:
    """What a setting that says how often a node stands there comes to.

    Raises:
        ExpressionError: If it depends on the data, which are not read yet.
    """
    known = substitute(value, values)
    for part in _leaves(known):
        if is_expression(part):
            raise ExpressionError(f"`{setting}` must be known before the data are read. Received: {part}.")
    return known


def text_now(setting: str, text: str, values: Mapping[str, Any]) -> str:
    """A name with values put in.

    Raises:
        ExpressionError: If a value is not known yet, or cannot be part of a name.
    """
    try:
        return substitute_text(text, values) if "$" in text else text
    except ExpressionError as error:
        raise BindingError((setting,), str(error)) from error


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        return [leaf for item in (value.values() if isinstance(value, dict) else value) for leaf in _leaves(item)]
    return [value]

"""A Capitalised name with arguments: something that gets built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from trainkit.config.document import KeyPath

SETTINGS = {"layer": ("name", "inputs", "branches"), "metric": ("name",)}
"""The settings that may stand beside the Capitalised key, by kind."""


@dataclass(frozen=True, eq=False)
class Node:
    """Something that a config asks to be built.

    Args:
        kind: `layer`, `optimizer`, `source`, ….
        class_name: The Capitalised name, as Keras spells it.
        arguments: As they are written: `$…` not computed, things inside are nodes themselves.
        name: The name given to it, if any.
        inputs: What a layer is called with: a name, a list of names, or a mapping from call arguments to names; None
            for what stands before it.
        branches: Lists of layers, whose ends a merging layer is called with; None for none.
    """

    kind: str
    class_name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    inputs: str | list[str] | dict[str, str] | None = None
    branches: list[list[Node]] | None = None


class NodeError(Exception):
    """A node cannot be built as it is written.

    Args:
        node: The node.
        message: What is wrong and what to do.
        argument: The argument or setting at fault, if it is one.
    """

    def __init__(self, node: Node, message: str, *, argument: str | None = None) -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.argument = argument


class SettingError(Exception):
    """A setting does not go with the rest of the config, or with the data.

    Args:
        path: Of the setting.
        message: What is wrong and what to do.
    """

    def __init__(self, path: KeyPath, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def nodes_inside(node: Node) -> Iterator[tuple[KeyPath, Node]]:
    """The nodes among the arguments and branches of a node, each with its path from that node."""
    for key, item in node.arguments.items():
        if isinstance(item, Node):
            yield (node.class_name, key), item
    for number, branch in enumerate(node.branches or []):
        for index, item in enumerate(branch):
            yield ("branches", number, index), item


def in_building_order(nodes: Iterable[Node]) -> Iterator[Node]:
    """The layers of a chain in the order in which they are built: those of its branches before a merging layer."""
    for node in nodes:
        for branch in node.branches or []:
            yield from in_building_order(branch)
        yield node


def to_plain(node: Node) -> Any:
    """A node as it would be written, in its longest form."""
    arguments = {key: to_plain(item) if isinstance(item, Node) else item for key, item in node.arguments.items()}
    return {node.class_name: arguments} | settings_of(node, to_plain)


def settings_of(node: Node, write: Any) -> dict[str, Any]:
    """The settings that stand beside the Capitalised key of a node, the nodes among them written by `write`."""
    branches = node.branches and [[write(item) for item in branch] for branch in node.branches]
    settings = {"name": node.name, "inputs": node.inputs, "branches": branches}
    return {key: value for key, value in settings.items() if value is not None}

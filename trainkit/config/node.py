"""A Capitalised name with arguments: something that gets built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from trainkit.config.document import KeyPath
from trainkit.config.signatures import Definition, Signature, known_names

SETTINGS = {"layer": ("name", "inputs", "branches", "repeat", "for_each", "when"), "metric": ("name",)}
"""The settings that may stand beside the Capitalised key, by kind."""
SHARE = "share"
"""What stands in place of the Capitalised key where the layers of another are called again."""


@dataclass(frozen=True, eq=False)
class Node:
    """Something that a config asks to be built.

    Args:
        kind: `layer`, `optimizer`, `source`, ….
        class_name: The Capitalised name, as Keras spells it; `share` for the layers of another.
        arguments: As they are written: `$…` not computed, things inside are nodes themselves.
        name: The name given to it, if any.
        inputs: What a layer is called with: a name, a list of names, or a mapping from call arguments to names; None
            for what stands before it.
        branches: Lists of layers, whose ends a merging layer is called with; None for none.
        repeat: How often it stands there, one after the other; None for once.
        for_each: Names, each with its values: it stands there once for each of them.
        when: Whether it stands there at all.
        share: The name of the layer or block whose layers are called again, if it has none of its own.
        definition: What its name stands for, where that is neither Keras' nor TrainKit's.
        origin: The node as it is written, where this is a copy of it with values put in.
        users: The nodes, as written, that use the blocks which this one is written in, from the inside out.
    """

    kind: str
    class_name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    inputs: str | list[str] | dict[str, str] | None = None
    branches: list[list[Node]] | None = None
    repeat: int | str | None = None
    for_each: dict[str, Any] | str | None = None
    when: bool | str = True
    share: str | None = None
    definition: Definition | None = None
    origin: Node | None = None
    users: tuple[Node, ...] = ()

    @property
    def is_block(self) -> bool:
        """Whether its name is that of a block, which is written out before anything is built."""
        return self.definition is not None and self.definition.target is None

    @property
    def signature(self) -> Signature:
        """The arguments that it takes."""
        if self.definition:
            return self.definition.signature
        return known_names(self.kind)[self.class_name] if self.share is None else {}


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
        elif isinstance(item, list):
            yield from (((node.class_name, key, index), one) for index, one in enumerate(item) if isinstance(one, Node))
    for number, branch in enumerate(node.branches or []):
        for index, item in enumerate(branch):
            yield ("branches", number, index), item


def to_plain(node: Node) -> Any:
    """A node as it would be written, in its longest form."""
    return write_node(node, {key: plain_argument(item, to_plain) for key, item in node.arguments.items()}, to_plain)


def plain_argument(value: Any, write: Callable[[Node], Any]) -> Any:
    """An argument as plain data, the nodes in it written by `write`."""
    if isinstance(value, list):
        return [plain_argument(item, write) for item in value]
    return write(value) if isinstance(value, Node) else value


def write_node(node: Node, arguments: dict[str, Any], write: Callable[[Node], Any]) -> dict[str, Any]:
    """A node as plain data with these arguments, and the nodes of its branches written by `write`."""
    branches = node.branches and [[write(item) for item in branch] for branch in node.branches]
    settings: dict[str, Any] = {"name": node.name, "inputs": node.inputs, "branches": branches}
    settings |= {"repeat": node.repeat, "for_each": node.for_each, "when": None if node.when is True else node.when}
    head = {node.class_name: arguments} if node.share is None else {SHARE: node.share}
    return head | {key: value for key, value in settings.items() if value is not None}

"""The nodes of a configuration, each with its path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from trainkit.config.document import KeyPath
from trainkit.config.node import Node, nodes_inside


def walk(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Node]]:
    """Every node below a value, each with its path."""
    if isinstance(value, Node):
        yield path, value
        for inner_path, inner in nodes_inside(value):
            yield from walk(inner, (*path, *inner_path))
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from walk(getattr(value, name), (*path, name))
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from walk(item, (*path, key))


def node_paths(value: Any) -> dict[Node, KeyPath]:
    """The path of every node below a value."""
    return {node: path for path, node in walk(value)}

"""Things of a config as a person would write them: without what they are by default."""

from __future__ import annotations

from typing import Any

from trainkit.config import Node
from trainkit.config.node import plain_argument
from trainkit.config.yaml_writer import write_yaml


def short_node(node: Node) -> Any:
    """A node as plain data, without arguments that have their default values."""
    defaults = {name: argument.default for name, argument in node.signature.items()}
    told = {
        key: plain_argument(value, short_node)
        for key, value in node.arguments.items()
        if key not in defaults or plain_argument(value, short_node) != defaults[key]
    }
    return {node.class_name: told} if told else node.class_name


def node_text(node: Node) -> str:
    """The same on one line."""
    return plain_text(short_node(node))


def plain_text(value: Any) -> str:
    """Plain data as a config has it, on one line.

    Example:
        >>> plain_text({"Rescaling": {"scale": "$(1/255)"}}), plain_text([1, 2]), plain_text("Mnist")
        ('Rescaling: {scale: $(1/255)}', '[1, 2]', 'Mnist')
    """
    if isinstance(value, dict):
        return " ".join(write_yaml(value).split())
    return " ".join(write_yaml({"x": value}).split()).removeprefix("x: ")

"""The shipped table of everything that a config can build: names, arguments, defaults.

`make signatures` writes the table from the real signatures of Keras and of TrainKit, so that a config can be checked
without importing either.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

REQUIRED = "required"
"""The default of a block's parameter that has none."""

NODE_TYPES = {kind: kind for kind in ("initializer", "regularizer", "constraint", "schedule", "layer")}
NODE_TYPES |= {"layers": "layer"}
"""Types of arguments that are built themselves, and the kind of each; `layers` is one or a list."""

BY_NAME = {"numbers by name": "number", "integers by name": "integer"}
"""Types of mappings from patterns of names, and that of their values."""


@dataclass(frozen=True)
class Argument:
    """One argument of something that gets built.

    Args:
        required: Whether there is no default.
        default: The default, where JSON can hold it.
        type: `any`, `number`, `integer`, `boolean`, `text`, `path`, `texts`, `numbers by name`, `integers by name`,
            or one of `NODE_TYPES`.
        choices: The values allowed, where there are few; of `number`, `path` and `texts`, words besides.
        least: The least number allowed, if there is one; of numbers by name, for each.
        most: The largest number allowed, if there is one; of numbers by name, for each.
        below: What a number must be less than, if there is such a bound; of numbers by name, each.
        optional: Whether null is allowed.
        is_told: Whether the table has the default; one that JSON cannot hold is left to the thing itself.
        of_block: Whether it is the parameter of a block, which may stand for something that gets built.
    """

    required: bool = False
    default: Any = None
    type: str = "any"
    choices: tuple[str | int, ...] = ()
    least: float | None = None
    most: float | None = None
    below: float | None = None
    optional: bool = True
    is_told: bool = True
    of_block: bool = False


Signature = Mapping[str, Argument]


@dataclass(frozen=True)
class Definition:
    """What a name stands for that a configuration brings with it: a block, or a class of its own Python code.

    Args:
        signature: The arguments that it takes.
        target: The class or function; None for a block.
    """

    signature: Signature
    target: Callable[..., Any] | None = None


@cache
def signatures() -> Mapping[str, Mapping[str, Signature]]:
    """The table: kind -> name -> argument -> `Argument`."""
    table = json.loads(files("trainkit.config").joinpath("signatures.json").read_text(encoding="utf-8"))
    return {
        kind: {name: read_signature(arguments) for name, arguments in names.items()} for kind, names in table.items()
    }


def known_names(kind: str) -> Mapping[str, Signature]:
    """All names of one kind: `layer`, `optimizer`, `loss`, …"""
    return signatures()[kind]


def read_signature(arguments: Mapping[str, Mapping[str, Any]]) -> Signature:
    """A signature from the form that the table has."""
    return {key: Argument(**{**entry, "choices": tuple(entry.get("choices", ()))}) for key, entry in arguments.items()}


def block_definitions(blocks: Any) -> dict[str, Definition]:
    """What can be used of some blocks, as they are written; what is no block is left out."""
    return {
        name: Definition(block_signature(block.get("params") if isinstance(block, dict) else None))
        for name, block in _items(blocks)
        if isinstance(name, str)
    }


def block_signature(params: Any) -> Signature:
    """The arguments of a block, from its parameters as they are written."""
    return {
        name: Argument(required=default == REQUIRED, default=default, of_block=True) for name, default in _items(params)
    }


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, dict) else ()

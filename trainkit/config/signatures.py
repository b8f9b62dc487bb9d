"""The shipped table of everything that a config can build: names, arguments, defaults.

`make signatures` writes the table from the real signatures of Keras and of TrainKit, so that a config can be checked
without importing either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

NODE_TYPES = ("initializer", "regularizer", "constraint", "schedule", "layer")
"""Types of arguments that are built themselves, each a kind of the table."""


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
        choices: The values allowed, where there are few.
        least: The least number allowed, if there is one; of numbers by name, for each.
        below: What a number must be less than, if there is such a bound; of numbers by name, each.
        optional: Whether null is allowed.
    """

    required: bool = False
    default: Any = None
    type: str = "any"
    choices: tuple[str | int, ...] = ()
    least: float | None = None
    below: float | None = None
    optional: bool = True


Signature = Mapping[str, Argument]


@cache
def signatures() -> Mapping[str, Mapping[str, Signature]]:
    """The table: kind -> name -> argument -> `Argument`."""
    table = json.loads(files("trainkit.config").joinpath("signatures.json").read_text(encoding="utf-8"))
    return {
        kind: {name: {key: _argument(value) for key, value in arguments.items()} for name, arguments in names.items()}
        for kind, names in table.items()
    }


def known_names(kind: str) -> Mapping[str, Signature]:
    """All names of one kind: `layer`, `optimizer`, `loss`, …"""
    return signatures()[kind]


def _argument(entry: dict[str, Any]) -> Argument:
    return Argument(**{**entry, "choices": tuple(entry.get("choices", ()))})

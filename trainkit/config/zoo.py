"""The networks that come with TrainKit: each a file of blocks, whose last has the name of the file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from trainkit.config.signatures import Definition, block_definitions
from trainkit.config.yaml_reader import read_file

FOLDER = Path(__file__).parents[1] / "zoo"
"""Where the files are."""


@cache
def zoo_files() -> Mapping[str, Path]:
    """The file of each network, by its name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


@cache
def zoo_data(name: str) -> Mapping[str, Any]:
    """What the file of a network says: its `blocks`, and the `input` that it is made for."""
    return read_file(zoo_files()[name]).data


@cache
def zoo_definition(name: str) -> Definition:
    """A network, with its parameters."""
    return block_definitions(zoo_data(name)["blocks"])[name]

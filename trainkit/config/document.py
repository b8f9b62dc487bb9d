"""A configuration as plain data, with the place of every key and value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainkit.config.scalars import LONGEST_NUMBER
from trainkit.errors import ConfigError, Place, Problem

DEEPEST_NESTING = 100
"""Levels of lists and mappings inside each other."""

KeyPath = tuple[str | int, ...]
"""The way to a value from the top of the file: `("model", "layers", 2, "Conv2D", "filters")`."""


def format_path(path: Sequence[str | int]) -> str:
    """Write a path as the messages do.

    Example:
        >>> format_path(("model", "layers", 2, "Conv2D", "filters"))
        'model.layers[2].Conv2D.filters'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


@dataclass
class Document:
    """What a YAML file says.

    Args:
        source: The name of the file in messages.
        data: Mappings, lists and scalars.
        directory: What relative paths in the file are relative to.
        keys: The place of each key, by path.
        values: The place of each value, by path.
        text: The file as it was read, or None where the configuration is from no file.
    """

    source: str
    data: Any
    directory: Path
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    text: str | None = None

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> Document:
        """A configuration made in Python: it has no places but `config`.

        Raises:
            ConfigError: If it holds what YAML cannot: anything but texts, numbers, true, false, null, lists, mappings.
        """
        problems: list[Problem] = []
        plain = _plain(data, (), problems)
        if problems:
            raise ConfigError("config", problems)
        return cls("config", plain, Path.cwd())

    def place(self, path: KeyPath, *, of_key: bool = False) -> Place | None:
        """The place of the value at `path`, or of its key; where it is not written, of what would hold it."""
        if of_key and path in self.keys:
            return self.keys[path]
        for end in range(len(path), -1, -1):
            if path[:end] in self.values:
                return self.values[path[:end]]
        return None

    def problem(self, path: KeyPath, message: str, *, of_key: bool = False) -> Problem:
        """A problem at `path`; the value that an override has set is called by the key of the override."""
        place = self.place(path, of_key=of_key)
        is_set = place is not None and place.override and self.values.get(path) == place
        return Problem(message, place.override if place and is_set else format_path(path), place)

    def error(self, path: KeyPath, message: str) -> ConfigError:
        """An error with the one problem at `path`."""
        return ConfigError(self.source, [self.problem(path, message)])

    def base_directory(self, path: KeyPath) -> Path:
        """What a relative path written at `path` is relative to: its file, or for an override, where one stands."""
        place = self.place(path)
        if place and place.file:
            return Path(place.file).parent
        return Path.cwd() if place and place.override else self.directory


def _plain(value: Any, path: KeyPath, problems: list[Problem]) -> Any:
    """A value as a file would give it: tuples become lists, NumPy's numbers and arrays Python's."""
    if len(path) > DEEPEST_NESTING:
        raise ConfigError("config", [Problem(f"values are nested more than {DEEPEST_NESTING} levels deep.")])
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item, (*path, str(key)), problems) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, (*path, index), problems) for index, item in enumerate(value)]
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 10**LONGEST_NUMBER:
        return int(value)
    if isinstance(value, float | str):
        return float(value) if isinstance(value, float) else str.__str__(value)  # not what a subclass makes of it
    message = f"must be a text, a number of at most {LONGEST_NUMBER} digits, true, false, null, a list or a mapping."
    problems.append(Problem(f"{message} Received: {type(value).__name__}.", format_path(path)))
    return None

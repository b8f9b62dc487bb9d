"""`KEY=VALUE` on the command line: put into the document before anything is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from trainkit.config.document import Document, KeyPath, format_path
from trainkit.config.names import names_in_list
from trainkit.config.node import SETTINGS, Node, to_plain
from trainkit.config.settings import settings_at
from trainkit.config.yaml_reader import read_text
from trainkit.errors import ConfigError, InputError, Place, Problem, shown
from trainkit.registry import did_you_mean

_KEY = re.compile(r"[^.\[\]\s]+(\.[^.\[\]\s]+|\[[0-9]{1,9}\])*")
_KINDS = {("model",): "layer", ("training", "metrics"): "metric"}
"""Where the nodes stand that have settings beside the Capitalised key."""


def apply_overrides(document: Document, overrides: Iterable[str]) -> list[Problem]:
    """Change a document in place, in the order given.

    A key is named by its path, an entry of a list by its index or by its name, without the Capitalised key:
    `training.epochs=3`, `model.layers[2].filters=8`, `model.layers.digit.units=64`.

    Args:
        document: The document, as read.
        overrides: `KEY=VALUE`, the value in YAML.

    Returns:
        What is wrong with them; the document then holds those that were right.
    """
    problems: list[Problem] = []
    for override in overrides:
        key, equals, text = override.partition("=")
        key = key.strip()
        place = Place(override=key or repr(override))
        try:
            if not equals or not key:
                raise _OverrideError(f"an override must be KEY=VALUE. Received: {shown(override)}.")
            if not _KEY.fullmatch(key):
                raise _OverrideError("a key must be a path: training.epochs, model.layers[2].filters.")
            if _segments(key)[0] == "include":
                raise _OverrideError("files are included before values are changed: change it in the file.")
            _Setter(document, place).set(_segments(key), read_text(text, source=key, directory=Path.cwd()).data)
        except ConfigError as error:
            problems.extend(Problem(problem.message, place.override, place) for problem in error.problems)
        except _OverrideError as error:
            problems.append(Problem(str(error), place.override, place))
    return problems


def list_overrides(overrides: Iterable[str]) -> list[str]:
    """The overrides that a caller gave, as a list.

    Raises:
        InputError: If they are one text: its letters would be taken for overrides.
    """
    if isinstance(overrides, str):
        raise InputError(f"`overrides` must be a list of KEY=VALUE texts. Received: {shown(overrides)}.")
    return list(overrides)


class _OverrideError(Exception):
    """What is wrong with an override."""


def _segments(key: str) -> list[str]:
    return re.findall(r"[^.\[\]]+", key)


class _Setter:
    """Walks from the top of a document to one value, making the mappings that are missing."""

    def __init__(self, document: Document, place: Place) -> None:
        self._document = document
        self._place = place

    def set(self, segments: list[str], value: Any) -> None:
        """Set the value that the segments of a key lead to."""
        holder: Any = self._document.data
        path: KeyPath = ()
        for segment in segments[:-1]:
            holder, path = self._enter(holder, path, segment)
            holder = self._open(holder, path)
        holder, path = self._enter(holder, path, segments[-1])
        holder[path[-1]] = value
        self._mark(path)

    def _enter(self, holder: Any, path: KeyPath, segment: str) -> tuple[Any, KeyPath]:
        """What holds the value that a segment names, and the path of that value."""
        if isinstance(holder, dict):
            holder, path = self._through_capital(holder, path, segment)
        if isinstance(holder, dict):
            return holder, (*path, segment)
        if isinstance(holder, list):
            return holder, (*path, _index(holder, segment, lambda: _names_at(self._document.data, path)))
        raise _OverrideError(f"{format_path(path)} is a value and has no {segment!r}. Received: {shown(holder)}.")

    def _open(self, holder: Any, path: KeyPath) -> Any:
        """What stands at the end of a path, made a mapping where it is a bare name, its default where it is missing."""
        key = path[-1]
        inner = holder.get(key) if isinstance(holder, dict) else holder[key]
        if inner is None:
            holder[key] = inner = _default(path)
            self._mark(path)
        elif isinstance(inner, str) and inner[:1].isupper():
            holder[key] = inner = {inner: {}}
        return inner

    def _through_capital(self, holder: dict[str, Any], path: KeyPath, segment: str) -> tuple[Any, KeyPath]:
        """Into the arguments of a node, unless the segment is a setting beside the Capitalised key."""
        if settings_at((*path, segment)):  # a mapping of blocks
            return holder, path
        capitals = [key for key, inner in holder.items() if key[:1].isupper() and not isinstance(inner, int | float)]
        if segment in holder or segment in _settings_beside(path) or len(capitals) != 1:
            return holder, path
        if segment[:1].isupper():
            here = format_path(path)
            raise _OverrideError(f"{here} is {capitals[0]}. To change it, write {here}='{{{segment}: {{…}}}}'.")
        if holder[capitals[0]] is None:
            holder[capitals[0]] = {}
        return holder[capitals[0]], (*path, capitals[0])

    def _mark(self, path: KeyPath) -> None:
        """Let the value, and all that stood below it, have its place on the command line."""
        for places in (self._document.keys, self._document.values):
            for old in [old for old in places if old[: len(path)] == path]:
                del places[old]
            places[path] = self._place


def _settings_beside(path: KeyPath) -> tuple[str, ...]:
    """The settings that may stand beside the Capitalised key of a node at a path."""
    return next((SETTINGS[kind] for start, kind in _KINDS.items() if path[: len(start)] == start), ())


def _names_at(data: Any, path: KeyPath) -> list[set[str]]:
    """What the entries of the list at a path are called, counted from the first layer of the network."""
    for start, part in enumerate(path):
        if isinstance(data, list):
            return names_in_list(data, path[start:])
        data = data[part]
    return names_in_list(data)


def _default(path: KeyPath) -> dict[str, Any] | list[Any]:
    """What a section that is not written stands for, as it would be written."""
    settings = settings_at(path[:-1])
    field = settings.model_fields.get(str(path[-1])) if settings else None
    default = field.get_default(call_default_factory=True) if field else None
    if isinstance(default, list):
        return [to_plain(node) for node in default]
    return to_plain(default) if isinstance(default, Node) else {}


def _index(items: list[Any], segment: str, entry_names: Callable[[], list[set[str]]]) -> int:
    """The index of the entry that a segment names, by number or by name."""
    if not items:
        raise _OverrideError(f"there is no entry {segment!r}: the list is empty.")
    last = len(items) - 1
    if re.fullmatch("[0-9]{1,9}", segment):
        if int(segment) > last:
            raise _OverrideError(f"there is no entry {segment}: the last is {last}.")
        return int(segment)
    names = entry_names()
    found = [index for index, known in enumerate(names) if segment in known]
    if len(found) > 1:
        listed = ", ".join(map(str, found))
        raise _OverrideError(f"{segment!r} stands for {len(found)} entries. Name one by its index: {listed}.")
    if not found:
        known = [name for entry in names for name in sorted(entry)]
        listed = f" Known: {', '.join(dict.fromkeys(known))}." if known else f" Name it by its index, 0 to {last}."
        raise _OverrideError(f"no entry is called {segment!r}.{did_you_mean(segment, known)}{listed}")
    return found[0]

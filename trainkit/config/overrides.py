"""`KEY=VALUE` on the command line: put into the document before anything is checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trainkit.config.document import Document, KeyPath
from trainkit.config.names import names_in_list
from trainkit.config.node import SETTINGS
from trainkit.config.yaml_reader import read_text
from trainkit.errors import ConfigError, Place, Problem
from trainkit.registry import did_you_mean

_SETTINGS_BESIDE = {key for keys in SETTINGS.values() for key in keys}


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
    problems = []
    for override in overrides:
        key, equals, text = override.partition("=")
        key = key.strip()
        place = Place(override=key)
        if not equals or not key:
            problems.append(
                Problem(f"an override must be KEY=VALUE. Received: {override!r}.", place=Place(override=override))
            )
            continue
        try:
            value = read_text(text, source=key, directory=Path.cwd()).data
        except ConfigError as error:
            problems.extend(Problem(problem.message, key, place) for problem in error.problems)
            continue
        if message := _Setter(document, place).set(_segments(key), value):
            problems.append(Problem(message, key, place))
    return problems


def _segments(key: str) -> list[str]:
    return [part for part in re.split(r"\.|\[(\d+)\]", key) if part]


class _Setter:
    """Walks from the top of a document to one value, making the mappings that are missing."""

    def __init__(self, document: Document, place: Place) -> None:
        self._document = document
        self._place = place

    def set(self, segments: list[str], value: Any) -> str | None:
        """Set the value; returns what is wrong, if anything is."""
        holder: Any = self._document.data
        path: KeyPath = ()
        for index, segment in enumerate(segments):
            holder, path = self._through_capital(holder, path, segment)
            if isinstance(holder, list):
                found = _index(holder, segment)
                if isinstance(found, str):
                    return found
                key: str | int = found
            else:
                key = segment
            if index == len(segments) - 1:
                holder[key] = value
                self._mark((*path, key))
                return None
            holder, path = self._open(holder, key), (*path, key)
            if not isinstance(holder, dict | list):
                above = ".".join(segments[: index + 1])
                return f"{above} is a value and has no {segments[index + 1]!r}. Received: {holder!r:.60}."
        return None

    def _open(self, holder: Any, key: str | int) -> Any:
        """What stands at `key`, made a mapping where it is missing or a bare name."""
        inner = holder.get(key) if isinstance(holder, dict) else holder[key]
        if inner is None:
            holder[key] = inner = {}
        elif isinstance(inner, str) and inner[:1].isupper():
            holder[key] = inner = {inner: {}}
        return inner

    def _through_capital(self, holder: Any, path: KeyPath, segment: str) -> tuple[Any, KeyPath]:
        """Into the arguments of a node, unless the segment is a setting beside the Capitalised key."""
        if not isinstance(holder, dict) or segment in holder or segment in _SETTINGS_BESIDE:
            return holder, path
        capitals = [key for key in holder if key[:1].isupper()]
        if len(capitals) != 1:
            return holder, path
        if holder[capitals[0]] is None:
            holder[capitals[0]] = {}
        inner = holder[capitals[0]]
        return (inner, (*path, capitals[0])) if isinstance(inner, dict) else (holder, path)

    def _mark(self, path: KeyPath) -> None:
        """Let the value, and all that stood below it, have its place on the command line."""
        for places in (self._document.keys, self._document.values):
            for old in [old for old in places if old[: len(path)] == path]:
                del places[old]
            places[path] = self._place


def _index(items: list[Any], segment: str) -> int | str:
    """The index of an entry, or what is wrong."""
    if segment.isdigit():
        last = len(items) - 1
        return int(segment) if int(segment) <= last else f"there is no entry {segment}: the last is {last}."
    names = names_in_list(items)
    found = [index for index, known in enumerate(names) if segment in known]
    if len(found) == 1:
        return found[0]
    if found:
        return f"{segment!r} stands for {len(found)} entries. Name one by its index: {', '.join(map(str, found))}."
    known = [name for entry in names for name in entry]
    return f"no entry is called {segment!r}.{did_you_mean(segment, known)} Known: {', '.join(dict.fromkeys(known))}."

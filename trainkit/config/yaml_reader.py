"""YAML text -> Document: PyYAML parses, the rules of YAML 1.2 decide, every key and value keeps its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from trainkit.config.document import DEEPEST_NESTING, Document, KeyPath, format_path
from trainkit.config.scalars import resolve_scalar
from trainkit.errors import ConfigError, Place, Problem, shown

LARGEST_FILE = 1_000_000
"""Bytes of the largest file that is read."""
MOST_VALUES = 50_000
"""Keys and values of the longest file."""
LARGEST_EXPANSION = 10_000
"""Values that the aliases of a file may add to those that are written."""

_TEXT_TAG = "tag:yaml.org,2002:str"
_PLAIN_TAGS = {
    yaml.ScalarEvent: _TEXT_TAG,
    yaml.SequenceStartEvent: "tag:yaml.org,2002:seq",
    yaml.MappingStartEvent: "tag:yaml.org,2002:map",
}


def read_file(filepath: Path | str) -> Document:
    """Read a configuration file.

    Raises:
        ConfigError: If the file cannot be read, or is not a YAML mapping; lists all duplicate keys, tags, ….
    """
    filepath = Path(filepath)
    source = str(filepath)
    try:
        with filepath.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ConfigError(source, [Problem("the file does not exist. `trainkit init` writes a first one.")]) from None
    except IsADirectoryError:
        raise ConfigError(source, [Problem("this is a directory. Name the .yaml file in it.")]) from None
    except OSError as error:
        raise ConfigError(source, [Problem(f"the file cannot be read: {error.strerror}.")]) from error
    except ValueError as error:  # a NUL in the name
        raise ConfigError(repr(source), [Problem(f"the file cannot be read: {error}.")]) from error
    if len(raw) > LARGEST_FILE:
        raise ConfigError(source, [Problem(f"the file must be a configuration of at most {LARGEST_FILE:,} bytes.")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        message = f"the file must be UTF-8 text. Received: byte 0x{raw[error.start]:02x}."
        raise ConfigError(source, [Problem(message, place=Place(line, column))]) from None
    document = read_text(text, source=source, directory=filepath.absolute().parent)
    document.text = text
    if document.data is None:
        raise ConfigError(source, [Problem("the file is empty. `trainkit init` writes a first configuration.")])
    if not isinstance(document.data, dict):
        message = f"a configuration must be a mapping, `key: value`. Received: {shown(document.data)}."
        raise ConfigError(source, [Problem(message, place=document.place(()))])
    return document


def read_text(text: str, *, source: str, directory: Path) -> Document:
    """Read YAML text of any type; empty text is None.

    Raises:
        ConfigError: If the text is not the YAML that TrainKit reads.
    """
    try:
        root = _Composer(text).compose()
    except yaml.YAMLError as error:
        raise ConfigError(source, [_syntax_problem(error, text)]) from None
    except _ReadError as error:
        raise ConfigError(source, [error.problem]) from None
    document = Document(source, None, directory)
    if root is not None:
        reader = _Constructor(document, limit=root.size_written + LARGEST_EXPANSION)
        try:
            document.data = reader.construct(root, ())
        except _ReadError as error:
            reader.problems.append(error.problem)
        if reader.problems:
            raise ConfigError(source, reader.problems)
    return document


class _ReadError(Exception):
    def __init__(self, message: str, place: Place) -> None:
        self.problem = Problem(message, place=place)


@dataclass
class _Written:
    """A value as it is written: a scalar, the items of a list, or the pairs of a mapping. Aliases share one."""

    place: Place
    kind: str
    value: Any = None
    size_written: int = 1
    pairs: list[tuple[_Written, _Written]] = field(default_factory=list)
    items: list[_Written] = field(default_factory=list)


class _Composer:
    """Events of PyYAML's parser -> `_Written`, with bounds on what a stranger's file can cost."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._anchors: dict[str, _Written] = {}
        self._count = 0

    def compose(self) -> _Written | None:
        root = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _ReadError("a file holds one document: remove this `---` and what follows.", _place(event))
                root = self._value(next(self._events), 0)
        if root is not None:
            root.size_written = self._count
        return root

    def _value(self, event: Any, depth: int) -> _Written:
        place = _place(event)
        if depth > DEEPEST_NESTING:
            raise _ReadError(f"values are nested more than {DEEPEST_NESTING} levels deep.", place)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _ReadError(f"unknown anchor '*{event.anchor}': it must stand before, and not around it.", place)
            return self._anchors[event.anchor]
        self._check(event)
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and event.tag != _TEXT_TAG
            written = _Written(place, "scalar", resolve_scalar(event.value) if plain else event.value)
        elif isinstance(event, yaml.SequenceStartEvent):
            written = _Written(place, "sequence")
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                written.items.append(self._value(item, depth + 1))
        else:
            written = _Written(place, "mapping")
            while not isinstance(key := next(self._events), yaml.MappingEndEvent):
                written.pairs.append((self._key(key), self._value(next(self._events), depth + 1)))
        if event.anchor:
            self._anchors[event.anchor] = written
        return written

    def _key(self, event: Any) -> _Written:
        if not isinstance(event, yaml.ScalarEvent):
            raise _ReadError("a key must be a text.", _place(event))
        if event.value == "<<" and event.implicit[0]:
            raise _ReadError("merge keys (`<<`) are not read: write the keys out.", _place(event))
        self._check(event)
        return _Written(_place(event), "scalar", event.value)

    def _check(self, event: Any) -> None:
        self._count += 1
        if self._count > MOST_VALUES:
            raise _ReadError(f"a configuration has at most {MOST_VALUES:,} keys and values.", _place(event))
        if event.tag not in (None, _PLAIN_TAGS[type(event)]):
            message = f"unknown tag {shown(event.tag)}. A configuration is plain data: remove the tag."
            raise _ReadError(message, _place(event))


class _Constructor:
    """`_Written` -> plain data of its own for every path, so that overrides change one place only."""

    def __init__(self, document: Document, *, limit: int) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._limit = limit
        self._count = 0

    def construct(self, written: _Written, path: KeyPath) -> Any:
        self._count += 1
        if self._count > self._limit:
            message = f"the aliases of this file expand to more than {LARGEST_EXPANSION:,} values."
            raise _ReadError(message, written.place)
        self._document.values[path] = written.place
        if written.kind == "sequence":
            return [self.construct(item, (*path, index)) for index, item in enumerate(written.items)]
        if written.kind == "mapping":
            return self._mapping(written, path)
        return written.value

    def _mapping(self, written: _Written, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in written.pairs:
            key_path = (*path, key.value)
            if key.value in result:
                first = self._document.keys[key_path]
                message = f"this key stands here already, at {first}. Remove one of the two."
                self.problems.append(Problem(message, format_path(key_path), key.place))
                continue
            self._document.keys[key_path] = key.place
            result[key.value] = self.construct(value, key_path)
        return result


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        place = Place(before.count("\n") + 1, error.position - before.rfind("\n"))
        return Problem(f"this character is not allowed in YAML: {text[error.position]!r}.", place=place)
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Problem(f"this is not YAML: {error}")
    mark = error.problem_mark
    place = Place(mark.line + 1, mark.column + 1)
    said = " ".join(part for part in (error.context, error.problem) if part)
    if error.context_mark and "end" in str(error.problem):
        said += f"; it begins at {error.context_mark.line + 1}:{error.context_mark.column + 1}"
    return Problem(f"this is not YAML: {said}.{_cure(text, mark.line, said)}", place=place)


def _cure(text: str, line: int, said: str) -> str:
    """What to do about the slips that are common, judged by the line and those before it."""
    lines = text.splitlines() or [""]
    here = lines[min(line, len(lines) - 1)]
    before = next((earlier for earlier in reversed(lines[:line]) if earlier.strip()), "")
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return " Indent with spaces, not with tabs."
    if "'\\t'" in said:
        return " Write a space, not a tab."
    if bare := re.fullmatch(r"\s*- ([A-Z]\w*)\s*(#.*)?", before):
        return f" To put settings under {bare[1]}, write `- {bare[1]}:` with a colon."
    if re.search(r"[{\[].*\$\([^)'\"]*[,\[\]{}]", f"{before}\n{here}"):
        return " Quote an expression that holds a comma or bracket: '$(max(a, b))'."
    if "<block end>" in said:
        return " Check the indentation of this line and of those before it."
    return ""

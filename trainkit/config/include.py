"""`include:`: blocks of other files, which then are the file's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainkit.config.document import Document, KeyPath
from trainkit.config.paths import PathError, resolve_path
from trainkit.config.yaml_reader import read_file
from trainkit.errors import ConfigError, Place, Problem, shown
from trainkit.registry import did_you_mean

MOST_FILES = 100
_KEYS = ("include", "input", "blocks")
"""What an included file may have; `input` is the shape that a network is made for, and told only."""


def merge_includes(document: Document) -> None:
    """Put the blocks of the included files, and of those that they include, among those of a configuration.

    Raises:
        ConfigError: If a file cannot be read, includes itself, holds anything but blocks, or brings a name a second
            time.
    """
    if not isinstance(document.data, dict) or document.data.get("include") is None:
        return
    model = document.data.setdefault("model", {})
    blocks = model.setdefault("blocks", {}) if isinstance(model, dict) else None
    if not isinstance(blocks, dict):
        return  # which is a problem that the checks of the settings tell
    merger = _Merger(document)
    merger.include(document, (), own=True)
    if merger.problems:
        raise ConfigError(document.source, merger.problems)


class _Merger:
    def __init__(self, document: Document) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._own = None if document.text is None else (document.directory / Path(document.source).name).resolve()
        self._done: set[Path] = set()

    def include(self, document: Document, way: tuple[Path, ...], *, own: bool = False) -> None:
        """Read what a document includes, and take over the blocks of each."""
        for path, written in _written(document):
            place = _in_file(document.place(path), None if own else document)
            try:
                if not isinstance(written, str):
                    raise PathError(f"must be a file, or a list of files. Received: {shown(written)}.")
                filepath = resolve_path(written, document.base_directory(path)).resolve()
                self._check(filepath, way)
                if filepath in self._done:
                    continue
                self._done.add(filepath)
                included = read_file(filepath)
            except ConfigError as error:
                self.problems += [_moved(problem, place, filepath) for problem in error.problems]
                continue
            except (PathError, OSError, ValueError, RuntimeError) as error:  # a NUL, links in a circle
                self.problems.append(Problem(str(error), "include", place))
                continue
            self._take_over(included)
            self.include(included, (*way, filepath))

    def _check(self, filepath: Path, way: tuple[Path, ...]) -> None:
        files = (*([self._own] if self._own else []), *way)
        if filepath in files:
            names = " → ".join(path.name for path in (*files[files.index(filepath) :], filepath))
            raise PathError(f"a file must not include itself: {names}.")
        if len(self._done) >= MOST_FILES:
            raise PathError(f"at most {MOST_FILES} files can be included.")

    def _take_over(self, included: Document) -> None:
        for key in included.data:
            if key not in _KEYS:
                message = f"an included file holds `blocks:`, and nothing else.{did_you_mean(key, _KEYS)}"
                self.problems.append(Problem(message, key, _in_file(included.place((key,), of_key=True), included)))
        blocks = included.data.get("blocks")
        if not isinstance(blocks, dict):
            message = f"must hold `blocks:`, a mapping from names to blocks. Received: {shown(blocks)}."
            self.problems.append(Problem(message, "blocks", _in_file(included.place(("blocks",)), included)))
            return
        own = self._document.data["model"]["blocks"]
        for name, block in blocks.items():
            if name in own:
                first = self._document.place(("model", "blocks", name), of_key=True)
                message = f"the block {name!r} is there already, at {first}. Rename one of the two."
                place = _in_file(included.place(("blocks", name), of_key=True), included)
                self.problems.append(Problem(message, f"blocks.{name}", place))
            else:
                own[name] = block
                self._take_places(included, ("blocks", name))

    def _take_places(self, included: Document, start: KeyPath) -> None:
        for theirs, ours in ((included.keys, self._document.keys), (included.values, self._document.values)):
            for path, place in theirs.items():
                if path[: len(start)] == start and (moved := _in_file(place, included)):
                    ours["model", *path] = moved


def _written(document: Document) -> Iterator[tuple[KeyPath, Any]]:
    include: Any = document.data.get("include")
    if isinstance(include, list):
        yield from ((("include", index), item) for index, item in enumerate(include))
    elif include is not None:
        yield ("include",), include


def _in_file(place: Place | None, document: Document | None) -> Place | None:
    """A place with the file that it is in; of the configuration itself with none."""
    if place is None or document is None:
        return place
    return Place(place.line, place.column, file=document.source)


def _moved(problem: Problem, includes: Place | None, filepath: Path) -> Problem:
    """A problem of an included file: in it, or if it is one of the whole file, where that is included."""
    if problem.place is None:
        message = problem.message.split(" `trainkit init`")[0]  # which writes whole configurations
        return Problem(f"{filepath}: {message}", "include", includes)
    return Problem(problem.message, problem.path, Place(problem.place.line, problem.place.column, file=str(filepath)))

"""Document -> Experiment, with every problem at its place and in our words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trainkit.config.document import Document, KeyPath
from trainkit.config.settings import Experiment
from trainkit.errors import Problem
from trainkit.registry import did_you_mean

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list, each entry on a line with `- ` or in [ ]",
    "model_type": "a mapping, `key: value`",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "string_pattern_mismatch": "letters, digits, '.', '_' and '-', beginning with a letter or digit",
    "string_too_long": "at most {max_length} characters",
    "too_short": "a list with at least {min_length} entry",
    "literal_error": "{expected}",
}


def validate(document: Document) -> tuple[Experiment | None, list[Problem]]:
    """Check the settings and nodes of a configuration; nothing is built.

    Returns:
        The experiment, or None where there are problems, and all problems.
    """
    if not isinstance(document.data, dict):
        return None, [document.problem((), f"must be a mapping, `key: value`. Received: {document.data!r:.60}.")]
    try:
        experiment = Experiment.model_validate(document.data)
    except ValidationError as error:
        return None, [problem for detail in error.errors() for problem in _problems(detail, document)]
    return experiment, list(_names_used_twice(experiment, document))


def _problems(detail: ErrorDetails, document: Document) -> Iterator[Problem]:
    kind, context = detail["type"], detail.get("ctx", {})
    path = _written_path(detail["loc"], document.data)
    if kind == "node":
        for problem in context["problems"]:
            yield document.problem((*path, *problem.path), problem.message, of_key=problem.of_key)
    elif kind == "missing":
        key = detail["loc"][-1]
        yield document.problem(path, f"the key {key!r} is missing.{_meaning(detail['loc'])}", of_key=True)
    elif kind == "extra_forbidden":
        known = _known_keys(path)
        listed = f" {'.'.join(map(str, path[:-1])) or 'The top level'} has {', '.join(known)}."
        yield document.problem(path, f"unknown key.{did_you_mean(str(path[-1]), known)}{listed}", of_key=True)
    else:
        expected = _EXPECTED.get(kind, detail["msg"]).format(**context)
        yield document.problem(path, f"must be {expected}. Received: {detail['input']!r:.80}.")


def _written_path(location: tuple[str | int, ...], data: Any) -> KeyPath:
    """The part of pydantic's location that stands in the file: without the tags of unions and missing keys."""
    path: list[str | int] = []
    for part in location:
        inside = isinstance(data, dict) and part in data
        if inside or (isinstance(data, list) and isinstance(part, int)):
            path.append(part)
            data = data[part]
    return tuple(path)


def _known_keys(path: KeyPath) -> list[str]:
    return sorted(_settings_at(path[:-1]).model_fields)


def _meaning(location: tuple[str | int, ...]) -> str:
    field = _settings_at(location[:-1]).model_fields.get(str(location[-1]))
    return f" {field.description}" if field and field.description else ""


def _settings_at(path: tuple[str | int, ...]) -> type[BaseModel]:
    """The class of settings that a path leads to; unions and lists of settings are followed by their only class."""
    current: type[BaseModel] = Experiment
    for part in path:
        field = current.model_fields.get(str(part))
        if field is not None:
            current = next(_classes_in(field.annotation), current)
    return current


def _classes_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _classes_in(part)


def _names_used_twice(experiment: Experiment, document: Document) -> Iterator[Problem]:
    sections = {
        ("model", "preprocess"): experiment.model.preprocess,
        ("model", "layers"): experiment.model.layers,
        ("training", "metrics"): experiment.training.metrics,
    }
    seen: dict[tuple[str, str], str] = {("layer", "input"): "the input"}
    for section, nodes in sections.items():
        for index, node in enumerate(nodes):
            if node.name is None:
                continue
            path = (*section, index, "name")
            if first := seen.get((node.kind, node.name)):
                yield document.problem(path, f"the name {node.name!r} is taken already, by {first}.")
            seen.setdefault((node.kind, node.name), f"{'.'.join(section)}[{index}]")

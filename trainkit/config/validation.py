"""Document -> Experiment, with every problem at its place and in our words."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trainkit.config.document import Document, KeyPath, format_path
from trainkit.config.settings import Experiment, settings_at
from trainkit.errors import Problem, shown
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
        return None, [document.problem((), f"must be a mapping, `key: value`. Received: {shown(document.data)}.")]
    try:
        experiment = Experiment.model_validate(document.data)
    except ValidationError as error:
        details = error.errors()
        unknown = [_written_path(detail["loc"], document.data) for detail in details if _is_unknown_key(detail)]
        misspelled = {(path[:-1], _suggestion(path)) for path in unknown}
        return None, [problem for detail in details for problem in _problems(detail, document, misspelled)]
    return experiment, list(_names_used_twice(experiment, document))


def _is_unknown_key(detail: ErrorDetails) -> bool:
    return detail["type"] == "extra_forbidden"


def _problems(
    detail: ErrorDetails, document: Document, misspelled: Container[tuple[KeyPath, str]]
) -> Iterator[Problem]:
    """What one error of pydantic says; a key that is missing because it is misspelled is no problem of its own."""
    kind, context = detail["type"], detail.get("ctx", {})
    path = _written_path(detail["loc"], document.data)
    if kind == "node":
        for problem in context["problems"]:
            yield document.problem((*path, *problem.path), problem.message, of_key=problem.of_key)
    elif kind == "missing":
        key = str(detail["loc"][-1])
        if (path, did_you_mean(key, [key])) not in misspelled:
            yield document.problem(path, f"the key {key!r} is missing.{_meaning(path, key)}", of_key=True)
    elif _is_unknown_key(detail):
        listed = f" {format_path(path[:-1]) or 'The top level'} has {', '.join(_known_keys(path))}."
        yield document.problem(path, f"unknown key.{_suggestion(path)}{listed}", of_key=True)
    else:
        rule = f"must be {_EXPECTED[kind].format(**context)}" if kind in _EXPECTED else detail["msg"]
        yield document.problem(path, f"{rule}. Received: {shown(detail['input'])}.")


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
    settings = settings_at(path[:-1])
    return sorted(settings.model_fields) if settings else []


def _suggestion(path: KeyPath) -> str:
    return did_you_mean(str(path[-1]), _known_keys(path))


def _meaning(holder: KeyPath, key: str) -> str:
    settings = settings_at(holder)
    description = settings.model_fields[key].description if settings else None
    return f" {description}" if description else ""


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

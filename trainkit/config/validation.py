"""Document -> Experiment, with every problem at its place and in our words."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trainkit.config.block import BLOCK_PATTERN
from trainkit.config.compression import check_compression
from trainkit.config.document import Document, KeyPath, format_path
from trainkit.config.kinds import NAME_PATTERN, PATH_PATTERN
from trainkit.config.paths import resolve_paths, resolve_teachers, resolve_weights
from trainkit.config.phases import check_phases
from trainkit.config.references import check_references
from trainkit.config.scope import Scope
from trainkit.config.settings import Experiment, settings_at
from trainkit.config.signatures import Definition
from trainkit.errors import Problem, shown
from trainkit.registry import did_you_mean

_LIST = "a list, each entry on a line with `- ` or in [ ]"
_MAPPING = "a mapping, `key: value`"
_FORMS = {"a list": _LIST, "a mapping": _MAPPING}
_CONTAINERS = {"List": "a list", "Dictionary": "a mapping"}
_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "list_type": _LIST,
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
    "greater_than_equal": "at least {ge}",
    "greater_than": "greater than {gt}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le:g}",
    "string_pattern_mismatch": "{rule}",
    "string_too_long": "at most {max_length} characters",
    "too_short": "{container} with at least {min_length} entry",
    "literal_error": "{expected}",
    "union_tag_invalid": "{forms}",
}
_PATTERNS = {
    NAME_PATTERN: "letters, digits and '_', beginning with a small letter",
    PATH_PATTERN: "letters, digits and '_', beginning with a small letter; of a layer in a block the path: "
    "decoder.head",
    BLOCK_PATTERN: "letters and digits, beginning with a capital letter",
}
_ANY_NAME = "letters, digits, '.', '_' and '-', beginning with a letter or digit"


def validate(
    document: Document, *, custom: Mapping[str, Mapping[str, Definition]] | None = None
) -> tuple[Experiment | None, list[Problem]]:
    """Check the settings and nodes of a configuration; nothing is built.

    Args:
        document: What is written where.
        custom: What its own Python code adds, by kind and name.

    Returns:
        The experiment, or None where there are problems, and all problems.
    """
    if not isinstance(document.data, dict):
        return None, [document.problem((), f"must be a mapping, `key: value`. Received: {shown(document.data)}.")]
    if "blocks" in document.data and "model" not in document.data:
        message = "this file holds blocks, and is no configuration: name it in the `include` of one."
        return None, [document.problem(("blocks",), message, of_key=True)]
    try:
        experiment = Experiment.model_validate(document.data, context={"scope": Scope(custom=custom or {})})
    except ValidationError as error:
        details = error.errors()
        unknown = [_written_path(detail["loc"], document.data) for detail in details if _is_unknown_key(detail)]
        misspelled = {(path[:-1], _suggestion(path)) for path in unknown}
        return None, [problem for detail in details for problem in _problems(detail, document, misspelled)]
    experiment, problems = resolve_weights(experiment, document)
    experiment, more = resolve_teachers(experiment, document)
    problems += [*more, *resolve_paths(experiment, document), *check_references(experiment, document)]
    return experiment, [*problems, *check_compression(experiment, document), *check_phases(experiment, document)]


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
        rule = f"must be {_expected(kind, context)}" if kind in _EXPECTED else detail["msg"]
        meaning = _meaning(path[:-1], str(path[-1])) if kind == "union_tag_invalid" else ""
        is_key = detail["loc"][-1] == "[key]"
        yield document.problem(path, f"{rule}. Received: {shown(detail['input'])}.{meaning}", of_key=is_key)


def _expected(kind: str, context: dict[str, Any]) -> str:
    tags = str(context.get("expected_tags", "")).replace("'", "").split(", ")
    forms = ", or ".join(_FORMS.get(tag, tag) for tag in tags)
    rule = _PATTERNS.get(context.get("pattern", ""), _ANY_NAME)
    container = _CONTAINERS.get(context.get("field_type", ""))
    return _EXPECTED[kind].format(**context, forms=forms, rule=rule, container=container)


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
    field = settings.model_fields.get(key) if settings else None
    description = field.description if field else None
    return f" {description}" if description else ""

"""The JSON Schema of the config language, for editors: made from the settings and the table of signatures."""

from __future__ import annotations

from typing import Any

from trainkit.config.kinds import NAME_PATTERN
from trainkit.config.node import SETTINGS, SHARE
from trainkit.config.settings import Experiment
from trainkit.config.signatures import BY_NAME, NODE_TYPES, Argument, Signature, signatures

_EXPRESSION = {"type": "string", "pattern": r"^\$"}
_OTHER_NAME = "^[A-Z]"
_TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_SETTINGS: dict[str, dict[str, Any]] = {
    "name": {"type": "string", "anyOf": [{"pattern": NAME_PATTERN}, {"pattern": r"\$"}]},
    "inputs": {
        "anyOf": [
            {"type": "string"},
            _TEXTS,
            {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, _TEXTS]}, "minProperties": 1},
        ]
    },
    "repeat": {"anyOf": [{"type": "integer", "minimum": 0}, _EXPRESSION]},
    "for_each": {
        "type": "object",
        "propertyNames": {"pattern": NAME_PATTERN},
        "additionalProperties": {"anyOf": [{"type": "array"}, _EXPRESSION]},
        "minProperties": 1,
    },
    "when": {"anyOf": [{"type": "boolean"}, _EXPRESSION]},
    "branches": {
        "type": "array",
        "items": {"type": ["array", "null"], "items": {"$ref": "#/$defs/layer"}},
        "minItems": 1,
    },
}
"""The settings that may stand beside a Capitalised key."""
_NOT_BOTH = (["inputs", "branches"], ["repeat", "for_each"])
_TYPES: dict[str, dict[str, Any]] = {
    "any": {},
    "number": {"type": ["number", "array"]},
    "integer": {"type": "integer"},
    "whole": {"type": "integer"},
    "wholes": {
        "anyOf": [{"type": "integer"}, {"type": "array", "items": {"anyOf": [{"type": "integer"}, _EXPRESSION]}}]
    },
    "boolean": {"type": "boolean"},
    "text": {"type": "string"},
    "path": {"type": "string"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "numbers by name": {"type": "object", "minProperties": 1},
    "integers by name": {"type": "object", "minProperties": 1},
}


def make_schema() -> dict[str, Any]:
    """The schema of a whole configuration (JSON Schema, draft 2020-12)."""
    schema = Experiment.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "TrainKit experiment"
    for kind, names in signatures().items():
        schema["$defs"][kind] = _kind_schema(kind, names)
        for name, signature in names.items():
            schema["$defs"][f"{kind}.{name}"] = _arguments_schema(signature)
    schema["$defs"]["Model"] |= _one_of("input", "inputs")
    return _finish(schema)


def _kind_schema(kind: str, names: dict[str, Signature] | Any) -> dict[str, Any]:
    """A bare name, or a mapping with one Capitalised key and, beside it, the settings that the kind has."""
    settings = {key: _SETTINGS[key] for key in SETTINGS.get(kind, ())}
    bare = sorted(name for name, signature in names.items() if not any(a.required for a in signature.values()))
    return {
        "anyOf": [
            {"enum": bare},
            {"type": "string", "pattern": _OTHER_NAME, "not": {"enum": sorted(names)}},
            {
                "type": "object",
                "properties": {name: {"$ref": f"#/$defs/{kind}.{name}"} for name in names} | settings,
                "patternProperties": {_OTHER_NAME: {}},
                "additionalProperties": False,
                "allOf": [{"not": {"required": pair}} for pair in _NOT_BOTH],
                **_one_more_than(list(settings)),
            },
            *([_share_schema(settings)] if kind == "layer" else []),
        ],
        "description": f"A Capitalised name, alone or with arguments: one of the {len(names)} of kind {kind}.",
    }


def _share_schema(settings: dict[str, Any]) -> dict[str, Any]:
    """The layers of another, called again."""
    beside = {key: value for key, value in settings.items() if key != "branches"}
    return {
        "type": "object",
        "properties": {SHARE: {"type": "string"}, **beside},
        "required": [SHARE],
        "additionalProperties": False,
    }


def _one_more_than(settings: list[str], count: int = 1) -> dict[str, Any]:
    """One property besides the settings that are there, so one Capitalised key."""
    if not settings:
        return {"minProperties": count, "maxProperties": count}
    first, *rest = settings
    return {
        "if": {"required": [first]},
        "then": _one_more_than(rest, count + 1),
        "else": _one_more_than(rest, count),
    }


def _arguments_schema(signature: Signature) -> dict[str, Any]:
    required = [name for name, argument in signature.items() if argument.required]
    return {
        "type": "object" if required else ["object", "null"],
        "properties": {name: _argument_schema(argument) for name, argument in signature.items()},
        "required": required,
        "additionalProperties": False,
    }


def _argument_schema(argument: Argument) -> dict[str, Any]:
    """The value itself, or a `$…` text that stands for it."""
    options: list[dict[str, Any]] = []
    if argument.type in NODE_TYPES:
        node = {"$ref": f"#/$defs/{NODE_TYPES[argument.type]}"}
        options += [node, *_lower_case_identifier(argument.type)]
        options += [{"type": "array", "items": node, "minItems": 1}] if argument.type == "layers" else []
    elif argument.choices and argument.type != "path":
        options.append({"enum": list(argument.choices)})
        options += [_TYPES[argument.type] | _bounds(argument)] if argument.type in ("number", "texts") else []
    elif argument.type in BY_NAME:
        kind = {"type": BY_NAME[argument.type]}
        options.append(_TYPES[argument.type] | {"additionalProperties": kind | _bounds(argument)})
    else:
        options.append(_TYPES[argument.type] | _bounds(argument))
    if argument.optional:
        options.append({"type": "null"})
    schema: dict[str, Any] = {} if {} in options else {"anyOf": [*options, _EXPRESSION]}
    return schema if argument.required else schema | {"default": argument.default}


def _bounds(argument: Argument) -> dict[str, float]:
    bounds = {"minimum": argument.least, "maximum": argument.most, "exclusiveMaximum": argument.below}
    return {key: bound for key, bound in bounds.items() if bound is not None}


def _lower_case_identifier(kind: str) -> list[dict[str, Any]]:
    """`he_normal` for an initializer; a number for a learning rate; nothing for a layer."""
    if kind == "schedule":
        return [{"type": "number"}]
    return [] if NODE_TYPES[kind] == "layer" else [{"type": "string", "pattern": "^[a-z]"}]


def _one_of(*keys: str) -> dict[str, Any]:
    """Exactly one of some keys must be there, and not null."""
    return {"oneOf": [{"required": [key], "properties": {key: {"not": {"type": "null"}}}} for key in keys]}


def _finish(schema: Any) -> Any:
    """Put the kinds where they are marked, and let a mapping by name have no other names."""
    if isinstance(schema, dict):
        schema = {key: _finish(value) for key, value in schema.items()}
        if kind := schema.pop("x-builds", None):
            schema["$ref"] = f"#/$defs/{kind}"
        if "patternProperties" in schema:
            schema.setdefault("additionalProperties", False)
        return schema
    return [_finish(item) for item in schema] if isinstance(schema, list) else schema

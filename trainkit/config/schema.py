"""The JSON Schema of the config language, for editors: made from the settings and the table of signatures."""

from __future__ import annotations

from typing import Any

from trainkit.config.node import SETTINGS
from trainkit.config.settings import Experiment
from trainkit.config.signatures import NODE_TYPES, Argument, Signature, signatures

_EXPRESSION = {"type": "string", "pattern": r"^\$"}
_OTHER_NAME = "^[A-Z]"
_TYPES: dict[str, dict[str, Any]] = {
    "any": {},
    "number": {"type": ["number", "array"]},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "text": {"type": "string"},
    "path": {"type": "string"},
    "texts": {"type": "array", "items": {"type": "string"}},
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
    return _place_kinds(schema)


def _kind_schema(kind: str, names: dict[str, Signature] | Any) -> dict[str, Any]:
    """A bare name, or a mapping with one Capitalised key and, beside it, a name where the kind has one."""
    settings = {key: {"type": "string", "pattern": "^[a-z][A-Za-z0-9_]*$"} for key in SETTINGS.get(kind, ())}
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
                "minProperties": 1,
                "maxProperties": 1 + len(settings),
                "if": {"required": list(settings)},
                "then": {"minProperties": 1 + len(settings)},
                "else": {"maxProperties": len(settings)},
            },
        ],
        "description": f"A Capitalised name, alone or with arguments: one of the {len(names)} of kind {kind}.",
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
        options += [{"$ref": f"#/$defs/{argument.type}"}, *_lower_case_identifier(argument.type)]
    elif argument.choices:
        options.append({"enum": list(argument.choices)})
    elif argument.least is not None:
        options.append(_TYPES[argument.type] | {"minimum": argument.least})
    else:
        options.append(_TYPES[argument.type])
    if argument.optional:
        options.append({"type": "null"})
    schema: dict[str, Any] = {} if {} in options else {"anyOf": [*options, _EXPRESSION]}
    return schema if argument.required else schema | {"default": argument.default}


def _lower_case_identifier(kind: str) -> list[dict[str, Any]]:
    """`he_normal` for an initializer; a number for a learning rate; nothing for a layer."""
    if kind == "schedule":
        return [{"type": "number"}]
    return [] if kind == "layer" else [{"type": "string", "pattern": "^[a-z]"}]


def _place_kinds(schema: Any) -> Any:
    if isinstance(schema, dict):
        schema = {key: _place_kinds(value) for key, value in schema.items()}
        if kind := schema.pop("x-builds", None):
            schema["$ref"] = f"#/$defs/{kind}"
        return schema
    return [_place_kinds(item) for item in schema] if isinstance(schema, list) else schema

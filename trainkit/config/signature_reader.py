"""The arguments of a class or function, as the table of signatures tells them."""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Literal

from annotated_types import Ge, Le, Lt

OF_EVERY_LAYER: dict[str, dict[str, Any]] = {
    "dtype": {"default": None, "is_told": False},
    "trainable": {"default": True, "type": "boolean"},
}
"""What every layer takes, as Keras' `**kwargs`."""
PATHS = ("filepath", "filename", "log_dir")
"""Arguments of Keras that name a file."""
NODE_ARGUMENTS = {
    "initializer": "initializer",
    "regularizer": "regularizer",
    "constraint": "constraint",
    "learning_rate": "schedule",
    "layer": "layer",
    "backward_layer": "layer",
    "cell": "layers",
    "cells": "layers",
}
"""Arguments, or the last words of their names, that are built themselves."""
WHOLE = {
    *("units", "filters", "num_heads", "key_dim", "value_dim", "input_dim", "output_dim", "groups"),
    *("depth_multiplier", "num_tokens", "num_bins", "n"),
}
"""Arguments of Keras that are a whole number: some of its layers cut off what stands behind the point."""
WHOLES = {"kernel_size", "pool_size", "strides", "dilation_rate", "size"}
"""Arguments of Keras that are one or several such numbers."""
NUMBERS = {"weight_decay", "clipnorm", "clipvalue", "global_clipnorm"}
"""Arguments of Keras that are a number, whose default is none."""
_TYPES: dict[Any, str] = {
    int: "integer",
    float: "number",
    bool: "boolean",
    str: "text",
    Path: "path",
    list[str]: "texts",
    list[float]: "number",
    list[int]: "wholes",
    dict[str, float]: "numbers by name",
    dict[str, int]: "integers by name",
}
_BOUNDS = {Ge: "least", Le: "most", Lt: "below"}
"""What the table calls a bound, which has its value in `ge`, `le` or `lt`."""


def read_untyped(item: type, *, skip: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """The arguments of a class like Keras' own: types are guessed from names and defaults.

    Args:
        item: The class.
        skip: Arguments that a config does not give.
    """
    arguments = {}
    for name, parameter in inspect.signature(item.__init__).parameters.items():  # type: ignore[misc]
        if name in ("self", "name", "dynamic", *skip) or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            continue
        entry = _default(parameter)
        if (type_ := _guess(name, parameter.default)) != "any":
            entry["type"] = type_
        arguments[name] = entry
    return arguments


def read_typed(function: Callable[..., Any], *, skip: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """The arguments of a function or class whose annotations are their types.

    Args:
        function: The function or class.
        skip: Arguments that a config does not give.

    Raises:
        KeyError: If an annotation is none that a config can hold.
    """
    hints = typing.get_type_hints(function.__init__ if inspect.isclass(function) else function, include_extras=True)
    return {
        name: type_of(hints[name]) | _default(parameter)
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in skip and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }


def type_of(hint: Any) -> dict[str, Any]:
    """A type hint as the table says it.

    Raises:
        KeyError: If a config cannot hold such a value.
    """
    if typing.get_origin(hint) is typing.Annotated:
        inner, *bounds = typing.get_args(hint)
        return type_of(inner) | {_BOUNDS[type(bound)]: getattr(bound, type(bound).__name__.lower()) for bound in bounds}
    is_union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    options = typing.get_args(hint) if is_union else (hint,)
    wanted, *_ = [option for option in options if option is not type(None)]  # float | list[float]: a number
    entry: dict[str, Any] = {"optional": type(None) in options}
    literals = [option for option in options if typing.get_origin(option) is Literal]
    if literals:
        entry["choices"] = list(typing.get_args(literals[0]))
        wanted = next((kind for kind in (Path, list[str], float) if kind in options), type(entry["choices"][0]))
    return entry | {"type": _TYPES[wanted]}


def _default(parameter: inspect.Parameter) -> dict[str, Any]:
    if parameter.default is parameter.empty:
        return {"required": True}
    try:
        json.dumps(parameter.default)
    except TypeError:  # the table cannot hold it
        return {"is_told": False}
    return {"default": parameter.default}


def _guess(name: str, default: object) -> str:
    for last, kind in NODE_ARGUMENTS.items():
        if name == last or (kind in ("initializer", "regularizer", "constraint") and name.endswith(f"_{last}")):
            return kind
    if name in PATHS:
        return "path"
    if name in WHOLE or name in WHOLES:
        return "whole" if name in WHOLE else "wholes"
    if isinstance(default, bool):
        return "boolean"
    return "number" if isinstance(default, int | float) or name in NUMBERS else "any"

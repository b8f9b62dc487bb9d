"""The arguments that a Keras object was made with, as the language writes them, without those that are defaults."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.config import known_names
from trainkit.errors import shown
from trainkit.models.describe.step import RefusalError
from trainkit.models.describe.values import plain, written
from trainkit.models.registry import LAYERS
from trainkit.objects import keras_class

_KINDS = ("layer", "initializer", "regularizer", "constraint")
"""Kinds of things that layers and their arguments are."""
_FACTS = {
    *("name", "batch_input_shape", "build_config", "vocabulary_size"),
    *("query_shape", "key_shape", "value_shape"),
}
"""What Keras writes into a config besides arguments."""


def class_named(kind: str, class_name: str) -> Any:
    """The class that a name of the language stands for.

    Raises:
        RefusalError: If the language has no such name.
    """
    if class_name not in known_names(kind):
        raise RefusalError(f"{class_name} is no {kind} of the config language")
    if kind == "layer" and class_name in LAYERS:
        return LAYERS.get(class_name)
    return keras_class(kind, class_name)


def arguments_of(kind: str, class_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that make an object of a config.

    Those are left out without which Keras makes the same object: the shipped defaults do not say that of all.

    Args:
        kind: `layer`, `initializer`, `regularizer` or `constraint`.
        class_name: As Keras spells it.
        config: What `get_config` gives.

    Returns:
        The arguments in the order of the signature, as plain data.

    Raises:
        RefusalError: If the language cannot say one of them.
    """
    maker = _Maker(class_named(kind, class_name), {"name": config["name"]} if "name" in config else {})
    signature = known_names(kind)[class_name]
    own = {key: _policy_name(config[key]) if key == "dtype" else config[key] for key in signature if key in config}
    whole = maker.config(own)
    if whole is None:
        raise RefusalError("Keras does not make it again of its own config")
    _check_unsaid(config, whole, signature)
    kept = _needed(maker, own, whole, [key for key in own if signature[key].required])
    for key, once in [(key, _once(value)) for key, value in kept.items() if isinstance(value, list | tuple)]:
        if once is not None and maker.config(kept | {key: once}) == whole:
            kept = kept | {key: once}
    return {key: _write(key, value, signature[key].type) for key, value in kept.items()}


@dataclass(frozen=True)
class _Maker:
    """Makes objects of one class to see what they say of themselves; `named` spares the names that Keras counts."""

    made: Any
    named: dict[str, str]

    def config(self, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """The config of an object made with some arguments, or None if there is no such object."""
        try:
            config = self._make(copy.deepcopy(self.named | dict(arguments))).get_config()
        except (TypeError, ValueError, AttributeError, LookupError, NotImplementedError):
            return None
        return {key: plain(value) for key, value in config.items() if key not in _FACTS}

    def _make(self, arguments: dict[str, Any]) -> Any:
        try:
            return self.made.from_config(dict(arguments))
        except KeyError:  # there are layers that want their whole config
            return self.made(**arguments)


def _needed(maker: _Maker, own: dict[str, Any], whole: dict[str, Any], required: Collection[str]) -> dict[str, Any]:
    """The least of some arguments that makes the same object."""
    least = maker.config({key: own[key] for key in required}) or {}
    kept = {key: value for key, value in own.items() if key in required or least.get(key) != whole.get(key)}
    if maker.config(kept) != whole:  # the default of one depends on another: strides on pool_size
        kept = own
    for key in [key for key in kept if key not in required]:
        fewer = {name: value for name, value in kept.items() if name != key}
        kept = fewer if maker.config(fewer) == whole else kept
    return kept


def _check_unsaid(config: Mapping[str, Any], whole: Mapping[str, Any], signature: Mapping[str, Any]) -> None:
    for key, value in config.items():
        is_said = key in signature or key in _FACTS or key == "seed"  # the seed of a config is that of the whole
        if not is_said and value not in (None, False) and plain(value) != whole.get(key):
            raise RefusalError(f"the config language has no argument for its {key}={shown(plain(value))}")


def _policy_name(dtype: Any) -> Any:
    return dtype["config"]["name"] if isinstance(dtype, Mapping) else dtype


def _once(value: Any) -> int | None:
    """The number that a list repeats, at any depth: Keras takes one in place of such a list."""
    if type(value) is int:
        return value
    if not isinstance(value, list | tuple) or not value:
        return None
    first, *others = [_once(item) for item in value]
    return first if all(other == first for other in others) else None


def _write(key: str, value: Any, kind: str) -> Any:
    value = plain(value)
    if kind == "layers":
        return (
            [_write(key, item, "layer") for item in value] if isinstance(value, list) else _write(key, value, "layer")
        )
    if isinstance(value, dict):
        if not isinstance(class_name := value.get("class_name"), str) or kind not in _KINDS:
            raise RefusalError(f"the config language cannot say its {key}={shown(value)}")
        if class_name not in known_names(kind):
            raise RefusalError(f"its {key} is {class_name}, which is no {kind} of the config language")
        return node_of(class_name, arguments_of(kind, class_name, value["config"]))
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        raise RefusalError(f"the config language cannot say a list of things as its {key}")
    if not isinstance(value, str | int | float | list | None):
        raise RefusalError(f"the config language cannot say its {key}={shown(value)}")
    return written(value)


def node_of(class_name: str, arguments: dict[str, Any]) -> Any:
    """A node of the language without settings."""
    return {class_name: arguments} if arguments else class_name

"""A configuration file -> Config: the experiment, and the way back to every place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from trainkit.config.custom_code import CustomCode, activate, run_custom_code
from trainkit.config.distill_settings import Distill
from trainkit.config.document import Document, KeyPath
from trainkit.config.include import merge_includes
from trainkit.config.model_settings import Weights
from trainkit.config.node import Node, NodeError, SettingError, write_node
from trainkit.config.overrides import apply_overrides, list_overrides
from trainkit.config.scalars import resolve_scalar
from trainkit.config.settings import Experiment
from trainkit.config.validation import validate
from trainkit.config.walk import node_paths
from trainkit.config.yaml_reader import LARGEST_FILE, MOST_VALUES, read_file
from trainkit.errors import ConfigError, InputError, Problem


@dataclass(frozen=True)
class Config:
    """A checked configuration.

    Args:
        experiment: The settings and nodes; paths are absolute.
        document: What was written where.
        custom_code: The Python file that it uses, if it does.
    """

    experiment: Experiment
    document: Document
    custom_code: CustomCode | None = None

    def path_of(self, node: Node) -> KeyPath:
        """The path of a node of this configuration; of one in a network of the zoo, where that is used."""
        nodes = (node.origin or node, *node.users)
        return next((self._paths[one] for one in nodes if one in self._paths), ())

    def line_of(self, node: Node) -> int | None:
        """The line of the file where a node stands, or None if it is from another file, or from none."""
        place = self.document.place(self.path_of(node))
        return place.line if place and place.line and not place.file else None

    @contextmanager
    def locating(self) -> Iterator[None]:
        """Turn every `NodeError` and `SettingError` of the block into a `ConfigError` that names its place.

        While it lasts, Keras knows the names of this configuration's own code, and of no other's.
        """
        activate(self.custom_code.definitions if self.custom_code else {})
        try:
            yield
        except NodeError as error:
            raise ConfigError(self.document.source, [self.problem(error)]) from error.__cause__
        except SettingError as error:
            raise self.document.error(error.path, error.message) from error.__cause__

    def problem(self, error: NodeError) -> Problem:
        """What a `NodeError` says, with its place."""
        path = self.path_of(error.node)
        at_class = (*path, error.node.class_name)
        for holder in (at_class, path):  # an argument, or a setting beside the class
            if error.argument and (*holder, error.argument) in self.document.values:
                return self.document.problem((*holder, error.argument), error.message)
        return self.document.problem(path, error.message)

    def resolved(self) -> dict[str, Any]:
        """The experiment as plain data, with every default written out; what was included is part of it.

        Its `custom_code` is a file of the same name beside it, with the hash of the one that was run.
        """
        code = self.custom_code and {"file": self.custom_code.filepath.name, "sha256": self.custom_code.sha256}
        return _with_defaults(self.experiment) | {"include": None, "custom_code": code}

    def check_size(self) -> None:
        """Refuse what could not be read again once every default is written out.

        Raises:
            SettingError: At the network, which is what grows.
        """
        count, length = _count(self.resolved()), len(self.resolved_yaml().encode())
        if count > MOST_VALUES or length > LARGEST_FILE:
            told = (
                f"{count:,} keys and values and {length:,} bytes, where {MOST_VALUES:,} and {LARGEST_FILE:,} are read"
            )
            cure = "Write layers that are alike once, with `repeat`, `for_each` or a block."
            raise SettingError(("model",), f"must not grow so long with every default written out: {told}. {cure}")

    @cached_property
    def _paths(self) -> dict[Node, KeyPath]:
        return node_paths(self.experiment)

    def resolved_yaml(self) -> str:
        """`resolved` as YAML that reads back to the same experiment."""
        return self._resolved_yaml

    @cached_property
    def _resolved_yaml(self) -> str:
        return yaml.dump(self.resolved(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def load_config(source: Path | str | Mapping[str, Any] | Document, overrides: Iterable[str] = ()) -> Config:
    """Read and check a configuration.

    Args:
        source: A YAML file, a mapping of the same form, or a document that was read before.
        overrides: `KEY=VALUE` texts, which win over the file.

    Raises:
        InputError: If `overrides` is one text, not a list.
        ConfigError: With all problems of text, keys, names and references at once.
    """
    document = source if isinstance(source, Document) else _read(source)
    problems = apply_overrides(document, list_overrides(overrides))
    code = run_custom_code(document)
    experiment, more = validate(document, custom=code.definitions if code else {})
    if problems or experiment is None or more:
        raise ConfigError(document.source, [*problems, *more])
    return Config(experiment, document, code)


def take_config(config: Path | str | Mapping[str, Any] | Config, overrides: Iterable[str] = ()) -> Config:
    """A configuration that a caller gave; one that was loaded before as it is.

    Raises:
        InputError: If that has overrides: it was checked without them.
        ConfigError: See `load_config`.
    """
    overrides = list_overrides(overrides)
    if not isinstance(config, Config):
        return load_config(config, overrides)
    if overrides:
        raise InputError(f"`overrides` must be given to load_config for a loaded config. Received: {overrides!r}.")
    return config


def read_document(source: Path | str | Mapping[str, Any], overrides: Iterable[str] = ()) -> Document:
    """Read a configuration without checking what it says; see `load_config`."""
    document = _read(source)
    if problems := apply_overrides(document, list_overrides(overrides)):
        raise ConfigError(document.source, problems)
    return document


def _read(source: Path | str | Mapping[str, Any]) -> Document:
    document = Document.from_mapping(source) if isinstance(source, Mapping) else read_file(source)
    merge_includes(document)
    return document


def _with_defaults(value: Any) -> Any:
    if isinstance(value, Node):
        told = {} if value.is_block else {key: item for key, item in value.signature.items() if item.is_told}
        written = {
            key: value.arguments.get(key, item.default)
            for key, item in told.items()
            if key in value.arguments or not item.required
        }
        arguments = {key: _with_defaults(item) for key, item in (written | value.arguments).items()}
        for key, item in arguments.items():
            if isinstance(item, str) and key in value.signature and value.signature[key].type == "path":
                arguments[key] = item.replace("$", "$$")
        return write_node(value, arguments, _with_defaults)
    if isinstance(value, Weights):
        return value.model_dump() | {"file": value.file.replace("$", "$$")}
    if isinstance(value, Distill):
        return value.model_dump() | {"teacher": value.teacher.replace("$", "$$")}
    if isinstance(value, BaseModel):
        return {name: _with_defaults(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, list):
        return [_with_defaults(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_defaults(item) for key, item in value.items()}
    return value


def _count(value: Any) -> int:
    """Keys and values."""
    if isinstance(value, Mapping):
        return 1 + len(value) + sum(map(_count, value.values()))
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1


class _Dumper(yaml.SafeDumper):
    """Quotes every text that `resolve_scalar` would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(resolve_scalar(text), str) else "'"
    style = '"' if re.search("[\x85\u2028\u2029]", text) else style  # line breaks, which PyYAML folds elsewhere
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)

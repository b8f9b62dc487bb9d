"""A configuration file -> Config: the experiment, and the way back to every place in the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from trainkit.config.document import Document, KeyPath
from trainkit.config.expressions import evaluate
from trainkit.config.node import Node, NodeError, SettingError, nodes_inside, settings_of
from trainkit.config.overrides import apply_overrides, list_overrides
from trainkit.config.scalars import resolve_scalar
from trainkit.config.settings import Experiment
from trainkit.config.signatures import known_names
from trainkit.config.validation import validate
from trainkit.config.yaml_reader import read_file
from trainkit.errors import ConfigError, Problem


@dataclass(frozen=True)
class Config:
    """A checked configuration.

    Args:
        experiment: The settings and nodes; paths are absolute.
        document: What was written where.
    """

    experiment: Experiment
    document: Document

    def path_of(self, node: Node) -> KeyPath:
        """The path of a node of this configuration."""
        return next((path for path, other in _nodes(self.experiment, ()) if other is node), ())

    def line_of(self, node: Node) -> int | None:
        """The line of the file where a node stands, or None if it is not from a file."""
        place = self.document.place(self.path_of(node))
        return place.line if place and place.line else None

    @contextmanager
    def locating(self) -> Iterator[None]:
        """Turn every `NodeError` and `SettingError` of the block into a `ConfigError` that names its place."""
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
        """The experiment as plain data, with every default written out."""
        return _with_defaults(self.experiment)

    def resolved_yaml(self) -> str:
        """`resolved` as YAML that reads back to the same experiment."""
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
    experiment, more = validate(document)
    if problems or experiment is None or more:
        raise ConfigError(document.source, [*problems, *more])
    _make_paths_absolute(experiment, document)
    return Config(experiment, document)


def read_document(source: Path | str | Mapping[str, Any], overrides: Iterable[str] = ()) -> Document:
    """Read a configuration without checking what it says; see `load_config`."""
    document = _read(source)
    if problems := apply_overrides(document, list_overrides(overrides)):
        raise ConfigError(document.source, problems)
    return document


def _read(source: Path | str | Mapping[str, Any]) -> Document:
    return Document.from_mapping(source) if isinstance(source, Mapping) else read_file(source)


def _nodes(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Node]]:
    """Every node below a value, each with its path."""
    if isinstance(value, Node):
        yield path, value
        for inner_path, inner in nodes_inside(value):
            yield from _nodes(inner, (*path, *inner_path))
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _nodes(getattr(value, name), (*path, name))
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _nodes(item, (*path, key))


def _make_paths_absolute(experiment: Experiment, document: Document) -> None:
    for path, node in _nodes(experiment, ()):
        for key, argument in known_names(node.kind)[node.class_name].items():
            written = node.arguments.get(key)
            if argument.type == "path" and isinstance(written, str):
                base = document.base_directory((*path, node.class_name, key))
                node.arguments[key] = str(base / os.path.expanduser(evaluate(written, {})))


def _with_defaults(value: Any) -> Any:
    if isinstance(value, Node):
        signature = known_names(value.kind)[value.class_name]
        arguments = {
            key: _with_defaults(value.arguments.get(key, argument.default))
            for key, argument in signature.items()
            if key in value.arguments or not argument.required
        }
        return {value.class_name: arguments} | settings_of(value, _with_defaults)
    if isinstance(value, BaseModel):
        return {name: _with_defaults(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, list):
        return [_with_defaults(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_defaults(item) for key, item in value.items()}
    return value


class _Dumper(yaml.SafeDumper):
    """Quotes every text that `resolve_scalar` would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(resolve_scalar(text), str) else "'"
    style = '"' if re.search("[\x85\u2028\u2029]", text) else style  # line breaks, which PyYAML folds elsewhere
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)

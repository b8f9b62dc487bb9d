"""The text of a config that is made of a network: what it says of itself, and examples of what it lacks."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainkit.config import Document, known_names, read_document
from trainkit.config.yaml_writer import write_yaml
from trainkit.errors import ConfigError, Problem

if TYPE_CHECKING:
    from trainkit.models.describe import Description

_WIDTH = 116
_LOSSES = {
    "softmax": ("SparseCategoricalCrossentropy", "SparseCategoricalAccuracy"),
    "sigmoid": ("BinaryCrossentropy", "BinaryAccuracy"),
}
_NUMBERS = ("MeanSquaredError", "MeanAbsoluteError")


def borrow_sections(filepath: Path, directory: Path) -> dict[str, Any]:
    """The `data` and `training` of a config, for one that stands in another directory.

    Args:
        filepath: The config.
        directory: Where the other one will stand: relative paths change.

    Raises:
        ConfigError: If it cannot be read, or has no `data`.
    """
    return move_sections(read_document(filepath), directory)


def move_sections(document: Document, directory: Path) -> dict[str, Any]:
    """The `data` and `training` of a config that was read; see `borrow_sections`."""
    written = document.data if isinstance(document.data, dict) else {}
    if "data" not in written:
        raise ConfigError(document.source, [Problem("the config must say what the data are: `data:` is missing.")])
    sections = {key: written[key] for key in ("data", "training") if key in written}
    return _with_paths(sections, document.directory, directory)


def _with_paths(value: Any, old: Path, new: Path) -> Any:
    """A value in which paths that are relative to one directory are relative to another."""
    if isinstance(value, list):
        return [_with_paths(item, old, new) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _move(key, item, old, new) if key[:1].isupper() and isinstance(item, dict) else _with_paths(item, old, new)
        for key, item in value.items()
    }


def _move(class_name: str, arguments: dict[str, Any], old: Path, new: Path) -> dict[str, Any]:
    kinds = [kind for kind in ("source", "callback") if class_name in known_names(kind)]
    paths = {
        key for kind in kinds for key, argument in known_names(kind)[class_name].items() if argument.type == "path"
    }
    moved = {}
    for key, item in arguments.items():
        is_relative = key in paths and isinstance(item, str) and not item.startswith(("/", "~", "$"))
        moved[key] = Path(os.path.relpath(old / item, new)).as_posix() if is_relative else item
    return moved


def write_config(description: Description, sections: dict[str, Any], *, name: str, made_of: str) -> str:
    """Write a whole config; `data` and `training` are comments where they are not known.

    Args:
        description: The network.
        sections: `data` and `training`, as far as they are known.
        name: Of the experiment.
        made_of: The model, for the first line.
    """
    parts = [_comment(sentence) for sentence in _header(description, sections, made_of)]
    parts.append(write_yaml({"version": 1, "name": name}))
    parts.append(_section("data", sections, _example_of_data(description.section)))
    parts.append(write_yaml({"model": description.section}))
    parts.append(_section("training", sections, _example_of_training(description.section)))
    return "".join(parts)


def _header(description: Description, sections: dict[str, Any], made_of: str) -> Iterator[str]:
    yield f"The network of {made_of}, without its weights."
    missing = [key for key in ("data", "training") if key not in sections]
    if missing:
        yield f"To train it, fill in `{'` and `'.join(missing)}`, which are examples, and take their # away."
    for node in _answering(description.section).values():
        units = (node.get("Dense") or {}).get("units")
        if _activation(node) == "softmax" and units:
            yield f"It tells {units:,} classes apart; `units: $classes` makes it as many as the data have."
    if any(isinstance(node, dict) and "Normalization" in node for node in description.section["layers"]):
        yield "Normalization has the mean and variance of the model; without them, it learns those of your data."
    yield from description.notes


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, _WIDTH))


def _section(key: str, sections: dict[str, Any], example: dict[str, Any]) -> str:
    if key in sections:
        return write_yaml({key: sections[key]})
    return "".join(f"# {line}\n" for line in write_yaml({key: example}).splitlines())


def _example_of_data(section: dict[str, Any]) -> dict[str, Any]:
    inputs = section.get("inputs", {"input": {"shape": section.get("input")}})
    outputs = section.get("outputs", [])
    shapes = [spec["shape"] for spec in inputs.values()]
    is_image = len(shapes) == 1 and len(shapes[0]) == 3 and None not in shapes[0] and shapes[0][2] in (1, 3, 4)
    if is_image and len(outputs) < 2:
        return {"source": {"ImageFolder": {"path": "photos"}}, "batch_size": 32}
    columns = {
        key: {name: name for name in names}
        for key, names in (("inputs", inputs), ("targets", outputs))
        if len(names) > 1
    }
    return {"source": {"Npz": {"path": "samples.npz"}}} | columns | {"batch_size": 32}


def _example_of_training(section: dict[str, Any]) -> dict[str, Any]:
    chosen = {name: _LOSSES.get(str(_activation(node)), _NUMBERS) for name, node in _answering(section).items()}
    losses: Any = {name: loss for name, (loss, _) in chosen.items()}
    metrics: Any = {name: [metric] for name, (_, metric) in chosen.items()}
    if len(chosen) == 1:
        (losses,), (metrics,) = losses.values(), metrics.values()
    return {"epochs": 10, "optimizer": {"Adam": {"learning_rate": 1e-3}}, "loss": losses, "metrics": metrics}


def _answering(section: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The layers that answer, by name."""
    nodes = [node if isinstance(node, dict) else {node: {}} for node in section["layers"]]
    if "outputs" not in section:
        return {"": nodes[-1]}
    named = {node["name"]: node for node in nodes if "name" in node}
    return {name: named.get(name, {}) for name in section["outputs"]}


def _activation(node: dict[str, Any]) -> str | None:
    if "Softmax" in node:
        return "softmax"
    arguments = next((value for key, value in node.items() if key[:1].isupper()), None) or {}
    return arguments.get("activation")

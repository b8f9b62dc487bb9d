"""A Keras model file -> a config that builds the same network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainkit.config import Document, load_config
from trainkit.config.yaml_reader import read_text
from trainkit.errors import InputError, PromiseError
from trainkit.inference.network_text import borrow_sections, write_config
from trainkit.inference.outside import read_model
from trainkit.runs import Run, write_text

_SUFFIXES = (".keras", ".h5", ".hdf5")
_UNSAID = "MeanSquaredError"
"""Stands for the losses where there is no `training` yet."""


@dataclass(frozen=True)
class Imported:
    """A config that was made of a model.

    Args:
        filepath: The config.
        layers: How many it lists.
        parameters: Of the model.
        is_complete: Whether it says what data and training are.
        notes: What a reader should know, a sentence each.
    """

    filepath: Path
    layers: int
    parameters: int
    is_complete: bool
    notes: list[str]


def import_network(path: Path | str, *, output: Path | None = None, data: Path | None = None) -> Imported:
    """Write the network of a model as a config; its weights stay where they are.

    Args:
        path: A .keras or .h5 file of tf_keras or Keras 3, a run, or a directory of runs (the newest).
        output: The file to write; by default it has the name of the model, in the current directory.
        data: A config whose `data` and `training` are taken over.

    Returns:
        What was written.

    Raises:
        InputError: If there is no such model, the config language cannot say its layers, or the file exists.
        ConfigError: If `data` is no config, or does not fit the network.
        OutputError: If the file cannot be written.
        PromiseError: If the config would build another network.
    """
    filepath, name = _find(Path(path))
    output = output or Path(f"{name}.yaml")
    if output.exists():
        raise InputError(f"{output} exists and is left alone. Name another file with --output.")
    sections = borrow_sections(data, output.absolute().parent) if data is not None else {}

    from trainkit.models.describe import describe

    model = read_model(filepath)
    description = describe(model)
    parameters = model.count_params()
    made_of = f"{filepath.name}, {parameters:,} parameters"
    text = write_config(description, sections, name=name, made_of=made_of)
    _check(model, read_text(text, source=str(output), directory=output.absolute().parent))
    write_text(output, text)
    is_complete = {"data", "training"} <= sections.keys()
    return Imported(output, len(description.section["layers"]), parameters, is_complete, description.notes)


def _find(path: Path) -> tuple[Path, str]:
    """The model file that a user means, and what it is called."""
    if path.is_dir():
        run = Run.open(path)
        return run.model, load_config(run.resolved).experiment.name
    if not path.is_file() or path.suffix not in _SUFFIXES:
        what = "which is no such file" if path.is_file() else "which does not exist"
        raise InputError(f"`model` must be a .keras or .h5 file, or a run. Received: {str(path)!r}, {what}.")
    return path, re.sub("[^A-Za-z0-9_.-]", "_", path.stem).lstrip("_.-") or "model"


def _check(model: Any, document: Document) -> None:
    """Read the config and build its network: what is written has to be of use."""
    from trainkit.models import build_model

    outputs = document.data["model"].get("outputs", [])
    loss = dict.fromkeys(outputs, _UNSAID) if len(outputs) > 1 else _UNSAID
    document.data = {"data": {"source": "Sample"}, "training": {"loss": loss}} | document.data
    config = load_config(document)
    with config.locating():
        built = build_model(config.experiment.model, {}, name=config.experiment.name)
    expected, received = ([tuple(tensor.shape[1:]) for tensor in either.outputs] for either in (model, built))
    if expected != received or _learned(model) != _learned(built):
        told = f"{_learned(built):,} parameters and outputs {received} in place of {_learned(model):,} and {expected}"
        raise PromiseError(f"{document.source}: it would build another network, with {told}. Nothing was written.")


def _learned(model: Any) -> int:
    """The parameters that training changes: statistics may be weights in one model, arguments in the other."""
    return sum(int(weight.shape.num_elements()) for weight in model.trainable_weights)

"""What is deployed: the model of a run, or a model that was made elsewhere, with the data that it is for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.config import Config, load_config
from trainkit.data import Split, Splits, load_data
from trainkit.errors import InputError, OutputError, PredictionError, RunError
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.inference.outside import load_data_config, read_model, says_loss
from trainkit.inference.predictor import check_classes
from trainkit.inference.renamed import with_names
from trainkit.runs import Run, lock_directory, recover_directory, remove_temporaries, sha256_of
from trainkit.runs.lock import LOCK
from trainkit.training.record import check_data
from trainkit.training.scale.strategies import strategy_here

MODELS = (".keras", ".h5", ".tkz")
"""Suffixes of models that can be deployed without a run."""
COMPRESSED = "compressed.keras"
"""The plain model that the compression steps have made, beside the exported files."""
REJECTED = "rejected"
"""Where files stand that are not what they should be."""
PAGE, CARD = "report.html", "MODEL_CARD.md"
"""What tells a person of all files."""
OWN = {
    *("verify.json", "compression.json", "sensitivity.json", "sensitivity.svg", "benchmark.json"),
    *(COMPRESSED, "preprocess.json", PAGE, CARD, REJECTED),
}
"""What `deploy` writes besides exported files and labels."""


@dataclass(frozen=True)
class Subject:
    """What is deployed.

    Args:
        config: Its configuration; of a model made elsewhere, what is known of its data.
        splits: The data.
        model: The `tf.keras.Model`.
        filepath: Where the model was saved.
        directory: Where the exported files go.
        work: Where compression steps leave their results.
        tensorboard: Where compression steps write event files.
        strategy: The `tf.distribute.Strategy` of compression steps that train.
        is_foreign: Whether the model was made elsewhere, so that nobody knows whether the data is its own.
    """

    config: Config
    splits: Splits[Split]
    model: Any
    filepath: Path
    directory: Path
    work: Path
    tensorboard: Path
    strategy: Any
    is_foreign: bool = False


@contextmanager
def open_run(run: Run, overrides: list[str]) -> Iterator[Subject]:
    """The model that a run has trained, and no other, with the data that it was trained on; the run is locked.

    Raises:
        InputError: If an override is not one of `deploy.`.
        RunError: If the run is damaged or in use, or its data has changed.
    """
    for override in overrides:
        if not override.startswith("deploy."):
            raise InputError(
                f"deploy takes overrides of `deploy.` keys only: the rest is trained. Received: {override!r}."
            )
    config = load_config(run.resolved, overrides)
    strategy = strategy_here(config)  # the CPU can only be divided before TensorFlow computes anything
    with run.lock():
        splits = load_data(config)
        check_data(run, splits)
        if sha256_of(run.model) != run.read_manifest().get("model_sha256"):
            raise RunError(f"{run.model} is not the model that this run has trained: it is damaged, or was exchanged.")
        try:
            model = KerasPredictor(run.model).model
        except PredictionError as error:
            raise RunError(f"{run.directory} is damaged: {error}") from error
        board = run.tensorboard / "compress"
        yield Subject(config, splits, model, run.model, run.deploy, run.compress, board, strategy)


@contextmanager
def open_model(filepath: Path, data: Path | str, overrides: list[str]) -> Iterator[Subject]:
    """A model that was made elsewhere, with the data that a config names.

    Args:
        filepath: A .keras or .h5 file of tf_keras or Keras 3.
        data: A config; of `model` and `training` it may have nothing, or what the model does not tell.
        overrides: `KEY=VALUE` texts, which win over the config.

    Raises:
        InputError: If the model cannot be read, or is for other classes.
        OutputError: If the directory for the files holds something else, or cannot be written.
        RunError: If another process deploys the model.
        ConfigError: If the config does not fit it.
    """
    directory = filepath.parent / f"{filepath.stem}_deploy"
    _check_own(directory)
    model = _with_names(read_model(filepath), filepath)
    predictor = KerasPredictor(model)
    config = load_data_config(data, predictor, filepath, overrides)
    splits = load_data(config)
    _check_classes(predictor, splits)
    if config.experiment.deploy.compress and not says_loss(config):
        message = "needs `training` with a loss: compression steps go on training by it."
        raise config.document.error(("deploy", "compress"), message)
    work = filepath.parent / f"{filepath.stem}_compress"
    with _owning(work, directory):
        board, strategy = work / "tensorboard", strategy_here(config)
        yield Subject(config, splits, model, filepath, directory, work, board, strategy, is_foreign=True)


@contextmanager
def _owning(work: Path, directory: Path) -> Iterator[None]:
    """Own both directories, by the lock of the first; it is removed if nothing was left there."""
    try:
        work.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{work.absolute()} cannot be written: {error.strerror}.") from error
    with lock_directory(work):
        recover_directory(directory)
        remove_temporaries(directory.parent, name=directory.name)
        remove_temporaries(work)
        try:
            yield
        finally:
            if [path.name for path in work.iterdir()] == [LOCK]:
                with suppress(OSError):
                    (work / LOCK).unlink()
                    work.rmdir()


def _with_names(model: Any, filepath: Path) -> Any:
    """A model whose inputs and outputs go by names that a config can say: `Predictions` goes by `predictions`.

    Raises:
        InputError: If a layer gives several outputs, and so has no name for each.
    """
    predictor = KerasPredictor(model)
    if (renamed := with_names(predictor)) is predictor:
        return model
    tensors = [*zip(model.inputs, renamed.inputs, strict=True), *zip(model.outputs, renamed.outputs, strict=True)]
    for tensor, name in tensors:
        tensor._keras_history.layer._name = name
    model = tf.keras.Model(model.inputs, model.outputs, name=model.name)
    if [*model.input_names, *model.output_names] != [*renamed.inputs, *renamed.outputs]:
        names = ", ".join([*predictor.inputs, *predictor.outputs])
        rule = "inputs and outputs with names of letters, digits and _, beginning with a small letter, and not 'x'"
        raise InputError(f"{filepath.name} must have {rule}. Received: {names}. Name its layers, and save it again.")
    return model


def _check_classes(predictor: KerasPredictor, splits: Splits[Split]) -> None:
    """Refuse a model that is for other classes than the data has, before files are made of it."""
    for name, field in splits.train.facts.targets.items():
        if field.classes is not None:
            units = tuple(length or 1 for length in predictor.outputs[name].shape[1:])
            check_classes(np.empty((0, *units)), field.classes, name=name)


def _check_own(directory: Path) -> None:
    """Refuse a directory that holds anything but what an earlier `deploy` wrote: it would be replaced.

    Raises:
        OutputError: With the first entry that is not ours.
    """
    if not directory.exists():
        return
    try:
        record = json.loads((directory / "verify.json").read_text(encoding="utf-8"))
        own = {entry["file"] for entry in record["files"]} | OWN
    except (OSError, ValueError, LookupError, TypeError):
        own = set()
    entries = sorted(directory.iterdir()) if directory.is_dir() else [directory]
    foreign = [entry for entry in entries if entry.name not in own and not entry.match("labels*.txt")]
    if foreign:
        message = f"{directory} must be free for the exported files, or hold those of an earlier deploy only."
        raise OutputError(f"{message} Received: {foreign[0].name!r} in it. Move it, or the model, elsewhere.")

"""A trained model that another one learns from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainkit.config import Config, Distill, KeyPath, SettingError, load_config
from trainkit.data import Description
from trainkit.errors import InputError, RunError, TrainKitError
from trainkit.inference.keras import KerasPredictor
from trainkit.runs import Run, sha256_of
from trainkit.training.distillation.losses import Form, forms_of

AT: KeyPath = ("training", "distill")


@dataclass(frozen=True)
class Teacher:
    """A trained model that another one learns from; it stays as it is.

    Args:
        name: What a person calls it: the directory of its run.
        model: Its `tf.keras.Model`.
        forms: What its answers are, by output.
        description: How its inputs are made, and what its outputs say.
        sha256: Of the file of the model.
    """

    name: str
    model: Any
    forms: Mapping[str, Form]
    description: Description
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """What the manifest of a run says of it."""
        return {"run": self.name, "sha256": self.sha256}


def teacher_of(config: Config, strategy: Any) -> Teacher | None:
    """The teacher of a training, if it has one; its variables are where those of the strategy are.

    Raises:
        ConfigError: With the place in the file, if it cannot be one.
    """
    settings = config.experiment.training.distill
    if not isinstance(settings, Distill):
        return None
    with config.locating(), telling(config, AT), strategy.scope():
        return read_teacher(Path(settings.teacher))


def read_teacher(directory: Path) -> Teacher:
    """The model that a run has trained, and no other.

    Args:
        directory: A run, or a directory of runs: the newest.

    Raises:
        InputError: If there is no such run, its training did not finish, or it is damaged.
    """
    rule = f"`teacher` must be a finished run. Received: {str(directory)!r}."
    try:
        run = Run.open(directory)
        sha256 = sha256_of(run.model)
        if sha256 != run.read_manifest().get("model_sha256"):
            raise RunError(f"{run.model} is not what the run has trained: it is damaged, or was exchanged.")
        config = load_config(run.resolved)
        with config.locating():
            model = KerasPredictor(run.model).model
        description = Description.from_json(json.loads(run.data.read_text(encoding="utf-8")))
    except TrainKitError as error:
        raise InputError(f"{rule} {error}") from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:  # JSON that TrainKit did not write
        raise InputError(f"{rule} {directory} is damaged: {error!r}.") from error
    return Teacher(str(run.directory), model, forms_of(config.experiment), description, sha256)


@contextmanager
def telling(config: Config, path: KeyPath) -> Iterator[None]:
    """Let an `InputError` name the setting `distill` that it comes from.

    Raises:
        SettingError: In its place.
    """
    try:
        yield
    except InputError as error:
        at = (*path, "teacher")
        raise SettingError(at if at in config.document.values else path, str(error)) from error

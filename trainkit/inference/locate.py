"""From what a user names, a run or a model file, to the model and what is known of its data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from trainkit.config import Config, load_config
from trainkit.data import Description, describe, load_data
from trainkit.errors import InputError, RunError, shown
from trainkit.inference.load import load
from trainkit.inference.outside import load_data_config
from trainkit.inference.packed import read_packed
from trainkit.inference.predictor import Predictor, check_filepath, is_model_directory
from trainkit.inference.preprocess import read_preprocess
from trainkit.inference.renamed import with_names
from trainkit.runs import Run

T = TypeVar("T")


@dataclass(frozen=True)
class Located:
    """A model file, opened.

    Args:
        filepath: The file.
        predictor: What runs it: in this process if TrainKit has proved the file, else in a child.
        run: The run that it belongs to, if it does.
        data: The config that a user gave for its data, if any.
    """

    filepath: Path
    predictor: Predictor
    run: Run | None
    data: Path | None

    def config(self) -> Config:
        """The config that says what its data are.

        Raises:
            InputError: If the model belongs to no run, and no config was given.
        """
        if self.data is not None:
            return load_data_config(self.data, self.predictor, self.filepath)
        if self.run is not None:
            return load_config(self.run.resolved)
        raise InputError(f"{self.filepath} belongs to no run: name the config of its data with --data CONFIG.")

    def description(self) -> Description:
        """How its inputs are made, and what its outputs say.

        Raises:
            InputError: If nobody has written that down, and no config was given.
        """
        recorded = self.recorded()
        if self.data is None and recorded is not None:
            return recorded
        config = self.config()
        description = describe(config.experiment, load_data(config).train.facts)
        self.check_meaning(description)
        return description

    def recorded(self) -> Description | None:
        """What was written down when the model was trained or exported, or None."""
        for filepath, key in self._records():
            if (found := _read(filepath, key)) is not None:
                return found
        told = self._told().get("data")
        return Description.from_json(json.loads(told)) if told else None

    def _told(self) -> Mapping[str, str]:
        """What the file tells of its data.

        Raises:
            InputError: If what makes its inputs of raw columns is not beside it.
        """
        told = self.predictor.facts.get("metadata") or read_packed(self.filepath)
        if (name := told.get("preprocess")) and read_preprocess(self.filepath) is None:
            raise InputError(f"{self.filepath.name} must have {name} beside it. Received: none. Copy that, too.")
        return told

    def check_meaning(self, description: Description) -> None:
        """Refuse data by which classes, columns or images mean something else than those the model has learned.

        Raises:
            InputError: With what was expected and what came.
        """
        recorded = self.recorded()
        if recorded is None:
            return
        pairs = [
            *(("classes", *pair) for pair in _pairs(recorded.classes, description.classes)),
            *(("columns", a.columns, b.columns) for a, b in _pairs(recorded.inputs, description.inputs)),
            *(("image", a.image, b.image) for a, b in _pairs(recorded.inputs, description.inputs)),
        ]
        for what, expected, received in pairs:
            if expected and received and expected != received:
                told = f"{self.data} must have the {what} that {self.filepath.name} has learned: {shown(expected)}"
                raise InputError(f"{told}. Received: {shown(received)}.")

    def _records(self) -> list[tuple[Path, str | None]]:
        """Where a description may stand: beside an exported file, or in the run."""
        beside: list[tuple[Path, str | None]] = [(self.filepath.parent / "verify.json", "data")]
        return [*beside, (self.run.data, None)] if self.run is not None else beside


def _pairs(first: Mapping[str, T], second: Mapping[str, T]) -> list[tuple[T, T]]:
    """What two mappings have under the same name; where each has one entry only, whatever its name."""
    if len(first) == len(second) == 1:
        return list(zip(first.values(), second.values(), strict=True))
    return [(first[name], second[name]) for name in first if name in second]


def locate(path: Path | str, *, data: Path | None = None) -> Located:
    """Find and open the model that a user means.

    Args:
        path: A run, a directory of runs (the newest), or a model file.
        data: A config that names the data of a model that belongs to no run.

    Raises:
        RunError: If a directory is no finished run.
        InputError: If a file is no model.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist. Name a run, a directory of runs, or a model file.")
    if path.is_dir() and not is_model_directory(path):
        run: Run | None = Run.open(path)
        filepath = run.model if run else path
    else:
        filepath = check_filepath(path)
        run = _run_of(filepath)
    if run and filepath.suffix == ".keras" and run.read_manifest().get("custom_code"):
        load_config(run.resolved)  # asks whether the Python code that it holds may run
    predictor = load(filepath).predictor
    return Located(filepath, with_names(predictor) if data is not None else predictor, run, data)


def _run_of(filepath: Path) -> Run | None:
    """The run whose model a file is, or in whose `deploy` directory it stands."""
    here = filepath.absolute().parent
    candidates = [here, here.parent] if here.name == "deploy" else [here]
    for directory in candidates:
        run = Run(directory)
        if run.manifest.is_file() and run.resolved.is_file():
            return run
    return None


def _read(filepath: Path, key: str | None) -> Description | None:
    try:
        values = json.loads(filepath.read_text(encoding="utf-8"))
        values = values.get(key) if key else values
        return None if values is None else Description.from_json(values)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError, LookupError, TypeError) as error:
        raise RunError(f"{filepath} cannot be read: it is damaged, or of another version ({error!r}).") from error

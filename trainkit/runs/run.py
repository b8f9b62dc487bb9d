"""A run directory: where everything about one training stands, and who may write there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainkit.errors import OutputError, RunError
from trainkit.runs.atomic import recover_directory, remove_temporaries, write_json
from trainkit.runs.lock import lock_directory


@dataclass(frozen=True)
class Run:
    """One run directory and the names of what it holds.

    Args:
        directory: `runs/mnist_lenet5/003`, say.
        made: The directories above it that did not exist before it, the nearest first.
    """

    directory: Path
    made: tuple[Path, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def create(cls, root: Path, name: str) -> Run:
        """Make the next free directory `root/name/NNN`.

        Raises:
            OutputError: If it cannot be made.
        """
        parent = root / name
        made = tuple(path for path in (parent, *parent.parents) if not path.exists())
        try:
            parent.mkdir(parents=True, exist_ok=True)
            while True:
                taken = [int(path.name) for path in parent.iterdir() if path.name.isdecimal()]
                directory = parent / f"{max(taken, default=0) + 1:03d}"
                try:
                    directory.mkdir()
                except FileExistsError:  # another run was quicker
                    continue
                return cls(directory, made)
        except OSError as error:
            raise OutputError(
                f"{parent.absolute()} cannot be written: {error.strerror}. Choose another place with --runs."
            ) from error

    @classmethod
    def find(cls, directory: Path | str) -> Run:
        """Open a run; a directory of runs stands for the newest of them.

        Raises:
            RunError: If `directory` is not a run.
        """
        directory = Path(directory)
        if not directory.exists():
            raise RunError(f"{directory} does not exist. A run is a directory that `trainkit fit` made.")
        numbered = sorted(path for path in directory.glob("*/manifest.json") if path.parent.name.isdecimal())
        if numbered and not (directory / "manifest.json").exists():
            directory = max((path.parent for path in numbered), key=lambda path: int(path.name))
        run = cls(directory)
        if not run.manifest.is_file() or not run.resolved.is_file():
            raise RunError(f"{directory} is not a run directory: it has no manifest.json and resolved.yaml.")
        return run

    @classmethod
    def open(cls, directory: Path | str) -> Run:
        """Open a finished run; a directory of runs stands for the newest of them.

        Raises:
            RunError: If `directory` is not a run, or its training did not finish.
        """
        run = cls.find(directory)
        if not run.model.is_file():
            cure = f"Go on with it: trainkit fit --resume {run.directory}."
            raise RunError(f"{run.directory} has no model.keras: its training did not finish. {cure}")
        return run

    @property
    def config(self) -> Path:
        """The configuration as it was given."""
        return self.directory / "config.yaml"

    @property
    def resolved(self) -> Path:
        """The configuration with every default and absolute path written out."""
        return self.directory / "resolved.yaml"

    @property
    def manifest(self) -> Path:
        """Versions, seed, devices, data, command line, and how the run ended."""
        return self.directory / "manifest.json"

    @property
    def log(self) -> Path:
        """What the training said."""
        return self.directory / "train.log"

    @property
    def history(self) -> Path:
        """Loss and metrics, one row an epoch."""
        return self.directory / "history.csv"

    @property
    def metrics(self) -> Path:
        """The metrics of the finished model on validation and test, as JSON."""
        return self.directory / "metrics.json"

    @property
    def profile(self) -> Path:
        """Where the time of the training went, if that was asked for."""
        return self.directory / "profile.json"

    @property
    def data(self) -> Path:
        """How the inputs are made and what the outputs say, as JSON."""
        return self.directory / "data.json"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's event files."""
        return self.directory / "tensorboard"

    @property
    def checkpoints(self) -> Path:
        """What the training needs to go on: the newest states, and the best."""
        return self.directory / "checkpoints"

    @property
    def model(self) -> Path:
        """The best model, as Keras saves it."""
        return self.directory / "model.keras"

    @property
    def compress(self) -> Path:
        """What the compression steps of a deploy have made, so that they need not run again."""
        return self.directory / "compress"

    @property
    def deploy(self) -> Path:
        """The exported files and the proof that they answer like the model."""
        return self.directory / "deploy"

    def read_manifest(self) -> dict[str, Any]:
        """The manifest as a dictionary.

        Raises:
            RunError: If it is missing or damaged.
        """
        try:
            return json.loads(self.manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{self.manifest} cannot be read: {error}.") from error

    def update_manifest(self, **facts: Any) -> None:
        """Set entries of the manifest, keeping the others; None removes one."""
        entries = (self.read_manifest() if self.manifest.exists() else {}) | facts
        write_json(self.manifest, {key: value for key, value in entries.items() if value is not None})

    def discard(self) -> None:
        """Remove a run that never began, and the directories that were made for it if no other run is there."""
        shutil.rmtree(self.directory, ignore_errors=True)
        with suppress(OSError):
            for directory in self.made:
                directory.rmdir()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Own the run while the block lasts: one process writes to it at a time.

        The operating system drops the lock with the process, however that ends.

        Raises:
            RunError: If another process owns it, with its process id and host.
            OutputError: If the file system does not let it be locked.
        """
        with lock_directory(self.directory):
            recover_directory(self.deploy)
            for directory in (self.directory, self.checkpoints, self.compress):
                remove_temporaries(directory)
            yield

"""Only the chief writes: the other workers do the same in directories of their own, which are removed.

They have to do it: what is averaged over replicas can only be read by all workers together.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trainkit.framework import tf
from trainkit.runs import Run
from trainkit.runs.checkpoints import MANIFEST, Checkpoints
from trainkit.training.scale.team import Team
from trainkit.workers import scratch_directory

_OF_STATE = (".json", ".npz", ".yaml")
"""How the files of a checkpoint end that are no variables."""


class StateCheckpoints(Checkpoints):
    """Checkpoints without their variables, of a worker that gets those from the chief."""

    @contextmanager
    def writing(self, step: int) -> Iterator[Path]:
        """As with the chief; what the variables have taken is free again at once."""
        with super().writing(step) as directory:
            yield directory
            for path in directory.iterdir():
                if path.suffix not in _OF_STATE:
                    path.unlink()


def divert(callback: Any, directory: Path) -> None:
    """Let a callback of Keras write where it is removed, and send nothing; `ModelCheckpoint` does so by itself."""
    if isinstance(callback, tf.keras.callbacks.CSVLogger):
        callback.filename = str(directory / Path(callback.filename).name)
    elif isinstance(callback, tf.keras.callbacks.RemoteMonitor):
        callback.on_epoch_end = _nothing


def _nothing(*_: Any, **__: Any) -> None:
    """In the place of what the chief does alone."""


def checkpoints_of(team: Team, run: Run) -> Checkpoints:
    """The checkpoints of a run, as this worker keeps them."""
    return (Checkpoints if team.is_chief else StateCheckpoints)(run.checkpoints)


@contextmanager
def place_for(team: Team, runs: Path) -> Iterator[Path]:
    """Where this worker makes its run directory: for the chief, where the user said."""
    if team.is_chief:
        yield runs
        return
    with tempfile.TemporaryDirectory(prefix=f"trainkit-worker-{team.index}-", dir=scratch_directory()) as directory:
        yield Path(directory)


@contextmanager
def owned(team: Team, run: Run) -> Iterator[Run]:
    """Own a run that is to go on: the chief locks it, the others have a copy of what it knows.

    Raises:
        RunError: If another process owns it.
    """
    with place_for(team, run.directory.parent) as directory:
        if team.is_chief:
            with run.lock():
                team.meet()
                team.meet()  # the others have read it
                yield run
            return
        team.meet()
        twin = _copy(run, directory)
        team.meet()
        with twin.lock():
            yield twin


def _copy(run: Run, directory: Path) -> Run:
    """A run without its model and without the variables of its checkpoints."""
    twin = Run(directory / run.directory.absolute().name)
    twin.directory.mkdir()
    for path in run.directory.iterdir():
        if path.is_file() and path != run.model and not path.name.startswith("."):
            shutil.copyfile(path, twin.directory / path.name)
    states, before = StateCheckpoints(twin.checkpoints), Checkpoints(run.checkpoints)
    for step in before.steps():
        with states.writing(step) as checkpoint:
            for path in before.at(step).glob("*"):
                if path.suffix in _OF_STATE and path.name != MANIFEST:
                    shutil.copyfile(path, checkpoint / path.name)
    return twin

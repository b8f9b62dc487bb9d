"""The trainings of one step: one that was stopped goes on in the middle of that which was going on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count, takewhile
from typing import Any

import numpy as np
from rich.console import Console

from trainkit.callbacks import CompressionBoard
from trainkit.config import Distill
from trainkit.deploy.subject import Subject
from trainkit.runs import remove_temporaries, write_json
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training.determinism import seed_everything
from trainkit.training.distillation import Teacher
from trainkit.training.fine_tune import FineTuning, Journal
from trainkit.training.gradients import gradients

NOTES = "notes.json"


class Trainings:
    """Trains what a step asks for, one training after the other, and remembers what was decided between them.

    A step that goes on is run from its beginning: trainings that were done are over at once, with the weights that they
    ended with, and so it comes to the one that was stopped.

    Args:
        subject: What is deployed.
        console: Where progress is shown.
        journal: Of the first training; the others have theirs beside it.
        first_epoch: From which epoch on the order of the samples is taken.
        teacher: Gives the teacher of a setting `distill`.
    """

    def __init__(
        self,
        subject: Subject,
        console: Console,
        journal: Journal,
        *,
        first_epoch: int,
        teacher: Callable[[Distill], Teacher],
    ) -> None:
        self._subject, self._console, self._journal, self._teacher = subject, console, journal, teacher
        self._epoch = first_epoch
        self._called: list[FineTuning] = []
        self._next = self._prepare()

    @property
    def seed(self) -> int:
        """Of the training that comes next."""
        return self._next.seed

    @property
    def steps_per_epoch(self) -> int:
        """Training steps of an epoch."""
        return self._next.steps_per_epoch

    @property
    def seconds_before(self) -> float:
        """Seconds that processes before this one have spent on the trainings."""
        return sum(training.seconds_before for training in self._called)

    def __call__(
        self, model: Any, *, epochs: int, callbacks: Sequence[Any] = (), distill: Distill | None = None
    ) -> None:
        """Train a model in place; see `FineTuning`."""
        training, journal = self._next, journal_of(self._journal, len(self._called))
        board = CompressionBoard(journal.events, steps_per_epoch=training.steps_per_epoch)
        self._called.append(training)
        training(model, epochs=epochs, callbacks=[*callbacks, board], distill=distill)
        self._epoch += epochs
        self._next = self._prepare()
        seed_everything(self._subject.config.experiment, self.seed)  # as it is where another process has trained this

    def gradients(self, model: Any, variables: Sequence[Any], batches: int) -> Iterable[list[np.ndarray]]:
        """Those of the loss on training samples; see `gradients`."""
        subject = self._subject
        return gradients(subject.config, subject.splits.train, model, variables, batches=batches, seed=self.seed)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, ready for JSON; where the step goes on, what it has given before."""
        filepath, notes = self._journal.checkpoints.directory / NOTES, {}
        with suppress(OSError, ValueError):
            notes = json.loads(filepath.read_text(encoding="utf-8"))
        if name not in notes:
            notes[name] = make()
            filepath.parent.mkdir(parents=True, exist_ok=True)
            write_json(filepath, notes)
        return notes[name]

    def _prepare(self) -> FineTuning:
        subject, journal = self._subject, journal_of(self._journal, len(self._called))
        remove_temporaries(journal.checkpoints.directory)
        return FineTuning(
            subject.config,
            subject.splits,
            self._console,
            first_epoch=self._epoch,
            journal=journal,
            teacher=self._teacher,
        )


def journal_of(first: Journal, before: int) -> Journal:
    """The journal of a training that comes after others of its step, from that of the first one."""
    if not before:
        return first
    checkpoints = Checkpoints(first.checkpoints.directory / f"training_{before + 1}")
    return replace(first, checkpoints=checkpoints, events=first.events.with_name(f"{first.events.name}_{before + 1}"))


def steps_done(first: Journal) -> int:
    """Training steps of a step up to its newest checkpoint."""
    newest = (max(journal_of(first, before).checkpoints.steps(), default=0) for before in count())
    return sum(takewhile(bool, newest))

"""The teachers of compression steps: runs, or the model before them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainkit.config import SELF, Config, Distill, KeyPath, Node, NodeError
from trainkit.data import Facts, describe
from trainkit.deploy.subject import Subject
from trainkit.errors import InputError
from trainkit.runs import sha256_of
from trainkit.training.distillation import Teacher, lesson_of, read_teacher
from trainkit.training.distillation.losses import forms_of
from trainkit.training.distillation.teacher import telling

AT: KeyPath = ("deploy", "fine_tune", "distill")
STEP = "Distill"


class Teachers:
    """Opens each teacher once.

    Args:
        subject: What is compressed; None where that is not trained yet: then there is no `self`.
    """

    def __init__(self, subject: Subject | None = None) -> None:
        self._subject = subject
        self._known: dict[str, Teacher] = {}

    def __call__(self, settings: Distill) -> Teacher:
        """The teacher that a setting names.

        Raises:
            InputError: If it cannot be one.
        """
        name = settings.teacher
        if name not in self._known:
            self._known[name] = self._itself() if name == SELF else self._read(Path(name))
        return self._known[name]

    def check(self, config: Config, model: Any, facts: Facts) -> None:
        """Refuse teachers that do not answer what a model does.

        Args:
            config: Names them.
            model: The model that is compressed.
            facts: Of the training samples.

        Raises:
            SettingError: At `deploy.fine_tune`.
            NodeError: At a step.
        """
        for node in config.experiment.deploy.compress:
            if (own := of_step(node)) is not None:
                try:
                    self._check(own, config, model, facts)
                except InputError as error:
                    raise NodeError(node, str(error), argument="teacher") from error
        settings = config.experiment.deploy.fine_tune.distill
        if isinstance(settings, Distill):
            with telling(config, AT):
                self._check(settings, config, model, facts)

    def _check(self, settings: Distill, config: Config, model: Any, facts: Facts) -> None:
        if self._subject is not None or settings.teacher != SELF:
            lesson_of(model, self(settings), settings, config.experiment, facts)

    def _read(self, directory: Path) -> Teacher:
        if self._subject is None:
            return read_teacher(directory)
        with self._subject.strategy.scope():
            return read_teacher(directory)

    def _itself(self) -> Teacher:
        subject = self._subject
        if subject is None:
            raise InputError(f"`teacher` must be a run: no model is trained yet. Received: {SELF!r}.")
        experiment, facts = subject.config.experiment, subject.splits.train.facts
        sha256 = sha256_of(subject.filepath)
        return Teacher(SELF, subject.model, forms_of(experiment), describe(experiment, facts), sha256)


def of_step(node: Node) -> Distill | None:
    """The teacher that a compression step has of its own."""
    return Distill(teacher=node.arguments.get("teacher", SELF)) if node.class_name == STEP else None

"""How long a training is, in steps and in epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from trainkit.config import Experiment
from trainkit.data import Split

DEFAULT_EPOCHS = 10


@dataclass(frozen=True)
class Length:
    """How long a training, or a phase of one, is.

    Args:
        steps: Training steps.
        steps_per_epoch: Of them, those between two validations; the last epoch may be shorter.

    Example:
        >>> length = Length(steps=10, steps_per_epoch=4)
        >>> length.epochs, [length.before(epoch) for epoch in range(4)]
        (3, [0, 4, 8, 10])
    """

    steps: int
    steps_per_epoch: int

    @property
    def epochs(self) -> int:
        """Epochs, of which the last may be shorter."""
        return -(-self.steps // self.steps_per_epoch)

    def before(self, epoch: int) -> int:
        """The steps that come before an epoch, which is counted from 0."""
        return min(epoch * self.steps_per_epoch, self.steps)

    def longer(self, steps: int) -> Length:
        """The same with more steps."""
        return replace(self, steps=self.steps + steps)


def steps_of_pass(experiment: Experiment, split: Split) -> int:
    """Training steps of one pass over the samples; the last batch may be smaller."""
    return math.ceil(split.size / experiment.data.batch_size)


def samples_of_epoch(experiment: Experiment, split: Split, length: Length) -> int:
    """Training samples of an epoch."""
    is_pass = length.steps_per_epoch == steps_of_pass(experiment, split)
    return split.size if is_pass else length.steps_per_epoch * experiment.data.batch_size


def length_of(experiment: Experiment, split: Split, *, epochs: int | None = None, steps: int | None = None) -> Length:
    """The length of a part of a config's training.

    Args:
        experiment: What is trained.
        split: The training samples.
        epochs: How many epochs it lasts; by default 10.
        steps: Else how many steps.
    """
    each = experiment.training.steps_per_epoch or steps_of_pass(experiment, split)
    return Length(steps or (epochs or DEFAULT_EPOCHS) * each, each)

"""Trial steps: how fast a model trains in some way; it is afterwards as it was."""

from __future__ import annotations

import time
from typing import Any

from trainkit.training.execution.executor import Executor
from trainkit.training.scale.team import Team

SECONDS = 0.15
"""What a trial lasts, about; one step, where that takes longer."""

MOST_STEPS = 200


class Trial:
    """An executor and how fast it is.

    Args:
        executor: Its functions stay as they are made, for the training that comes.
        step: The step at which the training is to begin.
    """

    def __init__(self, executor: Executor, step: int) -> None:
        self.executor = executor
        self._step = step
        self._team = Team(executor.model.distribute_strategy)
        self.first = self._run(1)
        self.single = self._run(1)
        """Seconds of the call that makes the functions, and of the next one, of one step each."""
        self.seconds = self.single
        if self.single < SECONDS:
            self.again()

    def again(self) -> None:
        """Measure once more; the shorter time of a step counts."""
        steps = max(2, min(round(SECONDS / self.single), MOST_STEPS))
        self.seconds = min(self.seconds, self._run(steps) / steps)

    def _run(self, steps: int) -> float:
        """Seconds of some steps; all workers have to decide alike, so that it is their mean."""
        executor, end = self.executor, self._step + steps
        executor.feed.rewind()
        began, step = time.perf_counter(), self._step
        values: dict[str, Any] = {}
        while step < end:
            count, values = executor(step, end - step)
            step += count
        for value in values.values():
            float(value)  # until now the steps may only have been sent to a device
        return self._team.sum([time.perf_counter() - began])[0] / self._team.count

"""Trial steps: how fast a model trains in some way; it is afterwards as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from trainkit.framework import tf
from trainkit.training.execution.executor import Executor

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
        self._agree = _agreement(executor.model.distribute_strategy)
        self.first = self._agree(self._run(1))
        self.single = self._agree(self._run(1))
        """Seconds of the call that makes the functions, and of the next one, of one step each."""
        self.seconds = self.single
        if self.single < SECONDS:
            self.again()

    def again(self) -> None:
        """Measure once more; the shorter time of a step counts."""
        steps = max(2, min(round(SECONDS / self.single), MOST_STEPS))
        self.seconds = min(self.seconds, self._agree(self._run(steps)) / steps)

    def _run(self, steps: int) -> float:
        """Seconds of some steps."""
        executor, end = self.executor, self._step + steps
        executor.feed.rewind()
        began, step = time.perf_counter(), self._step
        values: dict[str, Any] = {}
        while step < end:
            count, values = executor(step, end - step)
            step += count
        for value in values.values():
            float(value)  # until now the steps may only have been sent to a device
        return time.perf_counter() - began


def _agreement(strategy: Any) -> Callable[[float], float]:
    """All workers have to decide alike: what counts is their mean."""
    if strategy.num_replicas_in_sync == 1 or not getattr(strategy.extended, "_in_multi_worker_mode", bool)():
        return lambda seconds: seconds

    def agree(seconds: float) -> float:
        return float(strategy.reduce("MEAN", strategy.run(lambda: tf.constant(seconds)), axis=None))

    return agree


@contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """After it, all that training steps change is what it was before: weights, optimizer, metrics, count of steps."""
    tracked = [tf.train.TrackableView(one).descendants() for one in (model, model.optimizer, *model.metrics)]
    found = {id(one): one for one in chain(*tracked, [model._train_counter]) if isinstance(one, tf.Variable)}
    pairs = [(variable, variable.read_value()) for variable in found.values()]
    try:
        yield
    finally:
        for variable, value in pairs:
            variable.assign(value)

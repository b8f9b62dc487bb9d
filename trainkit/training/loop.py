"""The training loop: epochs of Keras training steps from any point on, each step and epoch told to a guard."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from trainkit.framework import tf
from trainkit.training.averages import averaged
from trainkit.training.execution import Executor, of_every_batch
from trainkit.training.length import Length
from trainkit.training.signals import Signals
from trainkit.training.state import Position


class Guard:
    """What a loop asks on its way: here, whether a signal came.

    Args:
        signals: They are answered between two steps.
    """

    def __init__(self, signals: Signals) -> None:
        self.signals = signals

    def begin(self, loop: Loop) -> None:
        """The callbacks have begun; no step was done yet."""

    def enter_epoch(self) -> None:
        """The callbacks have begun an epoch, of which some steps may have been done before."""

    @property
    def most_steps(self) -> int:
        """How many steps may be done before this is asked again."""
        return sys.maxsize

    def after_step(self, *, is_last: bool) -> None:
        """A call was done, of one step or several."""
        if self.signals.asked:
            self.interrupt()

    def after_steps(self, logs: dict[str, float]) -> None:
        """The steps of an epoch were done; its validation was not."""

    def after_epoch(self, logs: dict[str, float]) -> None:
        """An epoch was done, and the callbacks know it."""
        if self.signals.asked:
            self.interrupt()

    def abandon(self) -> None:
        """An error ends the training."""

    def interrupt(self) -> None:
        """Answer a signal."""
        self.signals.answer()


class Loop:
    """Runs the epochs of a phase: as `Model.fit` does, but from any step on.

    Keras' own loop begins with an epoch, and resets what callbacks know; a run that was killed has to go on with the
    step that comes next.

    Args:
        model: A compiled `tf.keras.Model`; its metrics hold what an epoch that was broken off has measured so far.
        train: Runs the training steps.
        validation: Measures the model after each epoch, or None.
        callbacks: Keras callbacks, asked in their order.
        length: Of the phase.
        position: Where to begin; it is moved.
        guard: Asked after each step.
    """

    def __init__(
        self,
        model: Any,
        *,
        train: Executor,
        validation: Callable[[Any, Guard], dict[str, float]] | None,
        callbacks: Sequence[Any],
        length: Length,
        position: Position,
        guard: Guard,
    ) -> None:
        self.model = model
        self.position = position
        self.length = length
        self._train, self._validation, self._guard = train, validation, guard
        self._every_batch = of_every_batch(callbacks)
        self.callbacks = tf.keras.callbacks.CallbackList(
            list(callbacks),
            add_history=True,
            model=model,
            epochs=position.phase_epoch + length.epochs,
            steps=length.steps_per_epoch,
        )

    def run(self) -> dict[str, list[float]]:
        """Do what is left of the phase; returns what Keras' History has of it."""
        model, position = self.model, self.position
        model.stop_training = position.stopping
        model._train_counter.assign(position.step)
        with model.distribute_strategy.scope():
            self.callbacks.on_train_begin()
            self._guard.begin(self)
            logs: dict[str, float] = {}
            try:
                while not self.is_over:
                    logs = self._run_epoch()
            except Exception:
                self._guard.abandon()
                raise
            self.callbacks.on_train_end(logs)
        return model.history.history

    @property
    def epoch_begins(self) -> bool:
        """Whether no step of the epoch at hand was done, as far as it is to be done."""
        return self.position.step == self._first_step

    @property
    def _epoch(self) -> int:
        """The epoch at hand, counted from the first one of the phase."""
        return self.position.epoch - self.position.phase_epoch

    @property
    def _first_step(self) -> int:
        return self.position.phase_step + self.length.before(self._epoch)

    @property
    def is_finite(self) -> bool:
        """Whether the last training step was the last one of its epoch, and was seen to leave all finite."""
        return bool(self._train.is_finite)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of the phase."""
        return self.position.is_over(self.length.epochs)

    def _run_epoch(self) -> dict[str, float]:
        model, position, callbacks, guard = self.model, self.position, self.callbacks, self._guard
        first, end = self._first_step, position.phase_step + self.length.before(self._epoch + 1)
        seen = None if self._every_batch else end  # who is asked for every batch may change weights after a step
        self._train.is_finite = None
        if self.epoch_begins:
            model.reset_metrics()
        callbacks.on_epoch_begin(position.epoch)
        guard.enter_epoch()
        while position.step < end and not model.stop_training:
            callbacks.on_train_batch_begin(position.step - first)
            count, values = self._train(position.step, min(end - position.step, guard.most_steps), end=seen)
            position.step += count
            callbacks.on_train_batch_end(position.step - first - 1, values)
            position.stopping = bool(model.stop_training)
            guard.after_step(is_last=position.step == end or model.stop_training)
        logs = {name: float(value) for name, value in model.get_metrics_result().items()}
        guard.after_steps(logs)
        logs |= self._validate()
        position.epoch += 1
        callbacks.on_epoch_end(position.epoch - 1, logs)
        position.stopping = position.over = bool(model.stop_training)
        guard.after_epoch(logs)
        return logs

    def _validate(self) -> dict[str, float]:
        """Loss and metrics of the validation samples; the metrics of the epoch survive a signal."""
        if self._validation is None:
            return {}
        variables = [variable for metric in self.model.metrics for variable in metric.variables]
        kept = [variable.numpy() for variable in variables]
        while True:
            try:
                with averaged(self.model):
                    values = self._validation(self.callbacks, self._guard)
                return {f"val_{name}": value for name, value in values.items()}
            except _Interrupted:
                for variable, value in zip(variables, kept, strict=True):
                    variable.assign(value)
                self._guard.interrupt()  # where its handler lets the training go on, the validation begins anew


class Validation:
    """Measures a model on the same batches, time after time: as `Model.evaluate` does.

    Args:
        test: Runs the test steps.
        steps: How many there are.
    """

    def __init__(self, test: Executor, steps: int) -> None:
        self._test, self._steps = test, steps

    def __call__(self, callbacks: Any, guard: Guard) -> dict[str, float]:
        """Loss and metrics of all batches; the metrics of the model begin anew."""
        self._test.model.reset_metrics()
        self._test.feed.rewind()
        callbacks.on_test_begin()
        step = 0
        values: dict[str, Any] = {}
        while step < self._steps:
            callbacks.on_test_batch_begin(step)
            count, values = self._test(step, self._steps - step)
            step += count
            callbacks.on_test_batch_end(step - 1, values)
            if guard.signals.asked:
                raise _Interrupted
        logs = {name: float(value) for name, value in values.items()}
        callbacks.on_test_end(logs)
        return logs


class _Interrupted(BaseException):
    """A signal came during a validation."""

"""Checkpoints on the way of a training, and the way back from them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.callbacks.memory import pack, recall, remind, why_unkept
from trainkit.config import Best as Monitor
from trainkit.config import CheckpointSettings
from trainkit.errors import OutputError, TrainingError
from trainkit.framework import tf
from trainkit.runs import write_json
from trainkit.runs.checkpoints import CONFIG, STATE, Checkpoints
from trainkit.runs.variables import write_variables
from trainkit.training.append_only import sizes
from trainkit.training.averages import averaged
from trainkit.training.finite import all_finite, first_non_finite, learned_variables
from trainkit.training.log import LOG
from trainkit.training.loop import Guard, Loop
from trainkit.training.loss_scale import is_stuck
from trainkit.training.restoring import ARRAYS, AVERAGES, VARIABLES, trackables_of, without_optimizer
from trainkit.training.scale.settled import Settling
from trainkit.training.scale.team import Team
from trainkit.training.signals import Signals
from trainkit.training.state import Best, State
from trainkit.training.unchanged import Changing, unchanged

_SHARE = 0.005
"""What part of the time writing checkpoints takes after epochs, where the config does not say how often."""
_LONGEST = 300.0
"""Seconds without a checkpoint, after which an epoch has one in any case."""


class NotFiniteError(TrainingError):
    """A loss or a weight is NaN or infinite."""


@dataclass(frozen=True)
class _Moment:
    """What a checkpoint has beside the variables.

    Args:
        step: Training steps done.
        state: As JSON.
        arrays: Of the state.
    """

    step: int
    state: Any
    arrays: list[np.ndarray]


class Checkpointer(Guard):
    """Writes checkpoints between two steps: as often as the config asks, before a signal is answered, and of the best.

    Where epochs are so short that writing each of them would take long, the best one is held in memory until the next
    checkpoint is written, or the training ends.

    Args:
        checkpoints: Where they go.
        settings: How often, and how many stay.
        state: Of the training; it is kept up to date.
        monitor: How the best epoch is chosen; None where it is the last one.
        callbacks: By the names under which their knowledge is kept.
        files: Gives the files that grow by appending: they are cut to what they were when a training goes on.
        signals: They are answered between two steps.
        strict: Whether a callback that knows what a checkpoint cannot hold is refused.
        again: Whether the state differs from that of its checkpoint, which is written again.
        config: What is trained, as YAML, if a checkpoint is to have it.
        base: A directory that may be moved: files that are in it are named from there; by default the one above that
            of the checkpoints.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        settings: CheckpointSettings,
        *,
        state: State,
        monitor: Monitor | None,
        callbacks: Mapping[str, Any],
        files: Callable[[], Iterable[Path]],
        signals: Signals,
        strict: bool = False,
        again: bool = False,
        config: str | None = None,
        base: Path | None = None,
    ) -> None:
        super().__init__(signals)
        self.state = state
        self._base = base or checkpoints.directory.parent
        self._checkpoints, self._settings, self._monitor = checkpoints, settings, monitor
        self._callbacks, self._files, self._config = callbacks, files, config
        self._strict, self._again, self._is_due = strict, again, False
        self._noted: set[str] = set()

    def begin(self, loop: Loop) -> None:
        """Let the callbacks know what they knew, and keep the state before the first step."""
        self._loop = loop
        self._team, self._settle = Team(loop.model.distribute_strategy), Settling(loop.model)
        self._plain = without_optimizer(loop.model)
        self._changing = Changing(loop.model)
        self._held: tuple[_Moment, list[Any]] | None = None
        several = loop.model.distribute_strategy.num_replicas_in_sync > 1
        self._may_hold = not several and self._settings.every_epochs is None
        self._saved = time.monotonic()
        if loop.epoch_begins or loop.is_over:
            self._remind()
        if not self._checkpoints.steps() or (self._again and loop.is_over):
            self.save()
        self._took = 0.0  # that of the first one counts what happens once, as making TensorFlow's functions

    def enter_epoch(self) -> None:
        """Let the callbacks know what they knew in the middle of the epoch."""
        if not self._loop.epoch_begins:
            self._remind()
        if self._again:
            self._again = False
            self.save()
            self._took = 0.0

    @property
    def most_steps(self) -> int:
        """Steps up to the next checkpoint."""
        every = self._settings.every_steps
        return super().most_steps if every is None else every - self.state.position.step % every

    def after_step(self, *, is_last: bool) -> None:
        """Write a checkpoint if it is time for one; after the last step of an epoch comes that of the epoch."""
        every_steps, every_minutes = self._settings.every_steps, self._settings.every_minutes
        is_time = every_minutes is not None and self._team.any(time.monotonic() - self._saved >= 60 * every_minutes)
        is_step = every_steps is not None and self.state.position.step % every_steps == 0
        if self.signals.asked:
            self.interrupt()
        elif is_time or is_step:
            self._is_due = is_last
            if not is_last:
                self.save()

    def after_steps(self, logs: dict[str, float]) -> None:
        """Look for numbers that are not finite: what the validation would say of them means nothing."""
        if not math.isfinite(logs.get("loss", 0.0)):
            raise NotFiniteError(f"the loss of epoch {self.state.position.epoch + 1} is {logs['loss']}.")
        self._check_finite(is_known=self._loop.is_finite)
        self._settle()

    def after_epoch(self, logs: dict[str, float]) -> None:
        """Choose the best epoch, and write its checkpoint."""
        better = self._is_better(logs)
        is_time = self._is_due or self._loop.is_over or self._is_worth_it()
        self._is_due = False
        if better:
            self._held = None
        if is_time or (better and not self._may_hold):
            self.save()
        elif better:
            self._held = (self._moment(wait=False), self._changing.values_again())
        super().after_epoch(logs)

    def abandon(self) -> None:
        """Write the checkpoint of the best epoch, if that was put off."""
        with suppress(OutputError, NotFiniteError, tf.errors.OpError):  # what has ended the training is told
            self._write_held()

    def _is_worth_it(self) -> bool:
        """Whether an epoch that was done deserves a checkpoint."""
        every = self._settings.every_epochs
        if every is not None:
            return self.state.position.epoch % every == 0
        since = time.monotonic() - self._saved
        return self._strict or self._team.any(since >= min(self._took / _SHARE, _LONGEST))

    def interrupt(self) -> None:
        """Keep what was done, if it is worth it, and answer the signal."""
        with suppress(NotFiniteError):
            self.save()
        super().interrupt()

    def save(self) -> None:
        """Write a checkpoint of this moment, and remove those that are not needed any more."""
        began = time.monotonic()
        moment = self._moment()
        self._write_held()
        self._write(moment)
        self._prune()
        self._saved = time.monotonic()
        self._took = self._saved - began

    def _moment(self, *, wait: bool = True) -> _Moment:
        """What there is to write beside the variables.

        Args:
            wait: Until the files that grow are on the disk, as they have to be before the checkpoint is.
        """
        self._check_kept()
        self._settle()
        self.state.callbacks = {name: recall(callback) for name, callback in self._callbacks.items()}
        for callback in self._loop.callbacks.callbacks:
            if hasattr(callback, "flush"):
                callback.flush()
        self.state.files |= sizes(self._files(), base=self._base, wait=wait)  # beside those of earlier processes
        arrays: list[np.ndarray] = []
        state = pack(self.state.to_json(), arrays)  # copies of all
        return _Moment(self.state.position.step, state, arrays)

    def _write(self, moment: _Moment) -> None:
        """Write a checkpoint of the variables as they are now."""
        model, plain = self._loop.model, self._plain
        self._check_finite()
        with self._checkpoints.writing(moment.step) as directory:
            write_variables(directory, VARIABLES, **trackables_of(model, plain))
            if model.optimizer.use_ema:
                with averaged(model):
                    write_variables(directory, AVERAGES, model=plain)
            write_json(directory / STATE, moment.state)
            np.savez(directory / ARRAYS, *moment.arrays)
            if self._config is not None:
                (directory / CONFIG).write_text(self._config, encoding="utf-8")

    def _write_held(self) -> None:
        """Write the checkpoint of the best epoch, which the model has left behind."""
        if self._held is None:
            return
        (moment, values), self._held = self._held, None
        with unchanged(self._loop.model):
            self._changing.assign(values)
            self._write(moment)

    def _prune(self) -> None:
        """Keep the newest checkpoints, and the best of each of them."""
        done = [step for step in self._checkpoints.steps() if step <= self.state.position.step]
        newest = done[: self._settings.keep]
        bests = [self._checkpoints.best_of(step) for step in newest]
        self._checkpoints.prune({*newest, *(step for step in bests if step is not None)})

    def _check_finite(self, *, is_known: bool = False) -> None:
        model = self._loop.model
        variables = learned_variables(model)
        if not (is_known or all_finite(variables)) and (found := first_non_finite(variables)):
            raise NotFiniteError(f"`{found.name}` is {found.kind} at step {self.state.position.step:,}.")
        if is_stuck(model.optimizer):
            step = self.state.position.step
            raise NotFiniteError(f"the gradients are not finite at step {step:,}, and the loss scale is 1 already.")

    def _check_kept(self) -> None:
        """Refuse a callback that could not go on, under `strict`; else note it, once."""
        for name, callback in self._callbacks.items():
            told = "" if name in self._noted else why_unkept(callback)
            if told and self._strict:
                raise TrainingError(f"determinism: strict: {told}")
            if told:
                self._noted.add(name)
                LOG.warning("note: %s", told)

    def _remind(self) -> None:
        for name, state in self.state.callbacks.items():
            if name in self._callbacks:
                remind(self._callbacks[name], state)

    def _is_better(self, logs: Mapping[str, float]) -> bool:
        if self._monitor is None:
            return False
        monitor, mode = self._monitor.monitor, self._monitor.mode
        if monitor not in logs:
            known = ", ".join(logs)
            raise TrainingError(f"best.monitor must be a metric of the epoch: {known}. Received: {monitor!r}.")
        value, best, position = logs[monitor], self.state.best, self.state.position
        if not math.isfinite(value):
            return False
        if best is not None and not (value < best.value if mode == "min" else value > best.value):
            return False
        self.state.best = Best(position.epoch, monitor, value, position.step)
        return True

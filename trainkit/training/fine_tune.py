"""Train a model a little more, as its run has trained it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from trainkit.callbacks import Clock, Progress
from trainkit.config import Config, Distill, Node
from trainkit.data import Split, Splits
from trainkit.errors import TrainingError
from trainkit.framework import tf
from trainkit.models.calls import name_outputs
from trainkit.objects import build
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training.append_only import cut
from trainkit.training.batches import Batches
from trainkit.training.checkpointing import Checkpointer
from trainkit.training.compile import compile_model, make_resumable, schedule_scope
from trainkit.training.determinism import seed_everything
from trainkit.training.distillation import Teacher, lesson_of, teach
from trainkit.training.execution import Executor, Planner, of_every_batch
from trainkit.training.failure import telling_failures
from trainkit.training.length import Length, length_of, samples_of_epoch
from trainkit.training.log import say
from trainkit.training.loop import Guard, Loop
from trainkit.training.outputs import outputs_of
from trainkit.training.phases import optimizer_of, phases_of
from trainkit.training.pipeline import training_change
from trainkit.training.restoring import read_state, restore
from trainkit.training.signals import Signals
from trainkit.training.state import State
from trainkit.training.tuning_rate import check_tuning_rate
from trainkit.training.validation import validation_of
from trainkit.training.watch import Watch

SLOWER = 10
"""The run's optimizer goes on at its highest rate divided by this, without a schedule."""

LOOKS = 201
"""At how many steps of a schedule its rate is looked at."""

OF_THE_RUN = ("CSVLogger", "EarlyStopping", "ModelCheckpoint", "TensorBoard")
"""Callbacks that write over the run's own files, or end a step before its schedule has."""


@dataclass(frozen=True)
class Journal:
    """Where a fine-tuning writes down what it needs to go on.

    Args:
        checkpoints: Of this fine-tuning, and of no other.
        events: A directory of event files, which is written by one of its callbacks.
        base: A directory that may be moved, and has both.
    """

    checkpoints: Checkpoints
    events: Path
    base: Path

    def read(self, console: Console) -> tuple[State, bool]:
        """The state of the newest checkpoint that is whole, or a new one; and whether there is such a checkpoint."""
        step, faults = self.checkpoints.newest()
        cure = "it begins anew" if step is None else "the one before it is taken"
        for fault in faults:
            say(console, f"note: {fault}; {cure}")
        state = State() if step is None else read_state(self.checkpoints, step)
        cut(state.files, base=self.base, directories=[self.events])
        return state, step is not None


class FineTuning:
    """Goes on training models with the data, loss, metrics and callbacks of a config.

    Args:
        config: The configuration.
        splits: The data.
        console: Where progress is shown.
        first_epoch: From which epoch on the order of the samples and the augmentations are taken.
        journal: Where it is written down, so that one that was broken off goes on; nowhere by default.
        teacher: Gives the teacher of a setting `distill`; needed where there is such a setting.

    Raises:
        SettingError: If `deploy.fine_tune` does not go with the callbacks.
        NodeError: If its schedule gives no rate.
    """

    def __init__(
        self,
        config: Config,
        splits: Splits[Split],
        console: Console,
        *,
        first_epoch: int = 0,
        journal: Journal | None = None,
        teacher: Callable[[Distill], Teacher] | None = None,
    ) -> None:
        self._config, self._splits, self._console = config, splits, console
        self._first_epoch, self._journal, self._teacher = first_epoch, journal, teacher
        self.seed = config.experiment.seed + first_epoch
        self._watch = Watch()
        self._outputs = outputs_of(config.experiment, splits.train.facts)
        check_tuning_rate(config, splits.train)

    @property
    def seconds_before(self) -> float:
        """Seconds that processes before this one have spent on the training that was called last."""
        return self._watch.before

    @property
    def steps_per_epoch(self) -> int:
        """Training steps of an epoch."""
        return self._length(1).steps_per_epoch

    def _length(self, epochs: int) -> Length:
        return length_of(self._config.experiment, self._splits.train, epochs=epochs)

    def __call__(
        self, model: Any, *, epochs: int, callbacks: Sequence[Any] = (), distill: Distill | None = None
    ) -> None:
        """Train a model in place.

        One that was broken off goes on where its newest checkpoint is, if the model is built as it was then.

        Args:
            model: A `tf.keras.Model` with the outputs of the config, in their order.
            epochs: Passes over the training samples.
            callbacks: What the method needs besides.
            distill: Whose answers it learns, too; by default what `deploy.fine_tune` says.

        Raises:
            TrainingError: If the loss is not finite, or Keras fails.
        """
        state, resumed = self._journal.read(self._console) if self._journal else (State(), False)
        model = self._prepare(model, epochs, distill)
        if self._journal and resumed:
            restore(self._journal.checkpoints, state.position.step, model)
        length, signals, self._watch = self._length(epochs), Signals(), Watch()
        clock = Clock(samples_of_epoch(self._config.experiment, self._splits.train, length))
        if state.position.step:
            say(self._console, f"goes on at training step {state.position.step:,} of {length.steps:,}")
        progress = Progress(self._console, epochs=epochs, steps=length.steps_per_epoch, clock=clock)
        asked = [*self._users(), *callbacks]
        others = [self._watch, *asked]
        loop = Loop(
            model,
            train=self._executor(model, length, state, asked),
            validation=validation_of(model, self._splits.validation, self._config.experiment, self._outputs, asked),
            callbacks=[clock, progress, *others],
            length=length,
            position=state.position,
            guard=self._guard(state, signals, _named([clock, *others])),
        )
        try:
            with telling_failures(), signals.listening():
                loop.run()
        finally:
            progress.close()

    def _prepare(self, model: Any, epochs: int, distill: Distill | None) -> Any:
        """The model with the config's output names, and with every variable that a checkpoint of it has."""
        split = self._splits.train
        seed_everything(self._config.experiment, self.seed)
        model = self._taught(name_outputs(model, list(self._outputs)), distill)
        compile_model(self._config, model, split, self._outputs, self._optimizer(epochs))
        make_resumable(model, split, self._outputs, seed=self.seed)
        return model

    def _taught(self, model: Any, distill: Distill | None) -> Any:
        """The model, or where there is a teacher, one of the same layers that learns from that, too."""
        experiment, facts = self._config.experiment, self._splits.train.facts
        settings = distill or experiment.deploy.fine_tune.distill
        if self._teacher is None or not isinstance(settings, Distill):
            return model
        return teach(model, lesson_of(model, self._teacher(settings), settings, experiment, facts))

    def _guard(self, state: State, signals: Signals, callbacks: Mapping[str, Any]) -> Guard:
        journal = self._journal
        if journal is None:
            return Guard(signals)
        return Checkpointer(
            journal.checkpoints,
            self._config.experiment.training.checkpoints,
            state=state,
            monitor=None,
            callbacks=callbacks,
            files=lambda: journal.events.rglob("*"),
            signals=signals,
            base=journal.base,
        )

    def _executor(self, model: Any, length: Length, state: State, callbacks: Sequence[Any]) -> Executor:
        experiment, split, step = self._config.experiment, self._splits.train, state.position.step
        batches = Batches(
            split,
            experiment.data.batch_size,
            seed=experiment.seed,
            first_epoch=self._first_epoch,
            change=training_change(self._config, split.facts, self._outputs, seed=experiment.seed),
            augments=bool(experiment.data.augment),
        )
        every_batch = of_every_batch(callbacks)
        remaining = length.steps - step
        planner = Planner(model, batches, experiment.training, step=step, remaining=remaining, every_batch=every_batch)
        if every_batch:  # steps cannot be tried without what a method does before each of them
            return planner.plain()
        try:
            return planner.choose()[0]
        except TrainingError:  # XLA, which the config of the run asks for, does not know what a method computes
            return planner.plain()

    def _users(self) -> list[Any]:
        nodes, values = phases_of(self._config.experiment)[-1].callbacks, self._splits.train.facts.values
        return [build(node, values) for node in nodes if node.class_name not in OF_THE_RUN]

    def _optimizer(self, epochs: int) -> Any:
        """The run's last optimizer at the rate of `deploy.fine_tune`, or at a constant tenth of its highest there.

        It keeps no averages: those of weights before and after a step are neither sparse nor shared.
        """
        split, phase = self._splits.train, phases_of(self._config.experiment)[-1]
        optimizer = optimizer_of(self._config, split, phase)
        chosen = self._config.experiment.deploy.fine_tune.learning_rate
        if isinstance(chosen, Node):
            rate = build(chosen, schedule_scope(self._config, split, self._length(epochs)))
        else:
            scope = schedule_scope(self._config, split, phase.length(self._config.experiment, split))
            rate = chosen or _highest_rate(optimizer, scope["steps"]) / SLOWER
        if isinstance(rate, tf.keras.optimizers.schedules.LearningRateSchedule):
            rate = tf.keras.optimizers.schedules.serialize(rate)
        return type(optimizer).from_config(optimizer.get_config() | {"learning_rate": rate, "use_ema": False})


def _named(callbacks: Sequence[Any]) -> dict[str, Any]:
    """Callbacks by the names under which a checkpoint keeps what they know."""
    return {f"{index} {type(callback).__name__}": callback for index, callback in enumerate(callbacks)}


def _highest_rate(optimizer: Any, steps: int) -> float:
    """The highest rate of an optimizer in so many steps: a schedule that warms up begins at 0."""
    rate = optimizer._learning_rate
    if not isinstance(rate, tf.keras.optimizers.schedules.LearningRateSchedule):
        return float(rate.numpy())
    return max(float(rate(step)) for step in np.linspace(0, steps, LOOKS).round())

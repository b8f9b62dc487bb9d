"""Train what was prepared, from the state that it is in, to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from trainkit.callbacks import Clock, HistoryFile, Progress, TensorBoard
from trainkit.errors import TrainingError
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.objects import compute_arguments
from trainkit.runs import Run, replace_file, write_json
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training.checkpointing import Checkpointer, restore, restore_weights, without_optimizer
from trainkit.training.evaluation import evaluate
from trainkit.training.failure import telling_failures
from trainkit.training.length import length_of, steps_of_pass
from trainkit.training.loop import Loop
from trainkit.training.pipeline import encoded
from trainkit.training.prepare import Prepared
from trainkit.training.signals import Signals
from trainkit.training.state import State


@dataclass(frozen=True)
class Training:
    """A training in its run directory.

    Args:
        run: Where it is written down.
        prepared: Data and model.
        state: Where it is; kept up to date.
        console: Where progress is shown.
        resumed: Whether it goes on from a checkpoint: that of the state's step.
    """

    run: Run
    prepared: Prepared
    state: State
    console: Console
    resumed: bool = False

    def __call__(self) -> dict[str, Any]:
        """Train, save the best epoch's model, and measure it.

        Returns:
            What metrics.json holds.

        Raises:
            TrainingError: If Keras or a callback fails, or no epoch had a finite value to be chosen by.
        """
        signals = Signals()
        with telling_failures(), signals.listening():
            self._run_phase(signals)
        return self._finish()

    def _run_phase(self, signals: Signals) -> None:
        prepared, run = self.prepared, self.run
        experiment, model, split = prepared.config.experiment, prepared.model, prepared.splits.train
        model.optimizer.build(model.trainable_variables)
        _build_metrics(prepared)
        if self.resumed:
            restore(self._checkpoints, self.state.position.step, model)
        clock = Clock(split.size)
        length = length_of(experiment, split)
        progress = Progress(self.console, epochs=length.epochs, steps=length.steps_per_epoch, clock=clock)
        board = self._tensorboard(clock)
        users = self._users()
        own = {"clock": clock, "progress": progress, "history": HistoryFile(run.history, clock), "board": board}
        guard = Checkpointer(
            self._checkpoints,
            experiment.training.checkpoints,
            state=self.state,
            monitor=prepared.best,
            callbacks={name: one for name, one in own.items() if hasattr(one, "get_state")} | users,
            files=[*board.directories, *_files_of(users), run.log],
            signals=signals,
        )
        loop = Loop(
            model,
            batches=partial(_batches_from, prepared, self.state.seed),
            validation=_validation(prepared),
            callbacks=[*own.values(), *users.values()],
            length=length,
            position=self.state.position,
            guard=guard,
        )
        try:
            loop.run()
        finally:
            progress.close()

    def _finish(self) -> dict[str, Any]:
        """Take the best epoch's weights, save the model, measure it."""
        prepared, state, run = self.prepared, self.state, self.run
        if state.best is None:
            monitor = prepared.best.monitor
            raise TrainingError(f"no epoch had a finite {monitor}: there is no model. Lower the learning rate.")
        plain = without_optimizer(prepared.model)
        restore_weights(self._checkpoints, state.best.step, plain)
        with replace_file(run.model) as temporary:
            plain.save(temporary, save_format="keras")
        metrics: dict[str, Any] = {"best": state.best.to_json()}
        for name, split in (("validation", prepared.splits.validation), ("test", prepared.splits.test)):
            if split is not None:
                metrics[name] = evaluate(KerasPredictor(plain), split, prepared.outputs, prepared.config.experiment)
        write_json(run.metrics, metrics)
        return metrics

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is something to go on from."""
        return bool(self._checkpoints.steps())

    @property
    def _checkpoints(self) -> Checkpoints:
        return Checkpoints(self.run.checkpoints)

    def _users(self) -> dict[str, Any]:
        """The callbacks of the config by name, but for a `TensorBoard`, whose arguments the own one takes."""
        users = {}
        for index, callback in enumerate(self.prepared.callbacks):
            if isinstance(callback, tf.keras.callbacks.CSVLogger) and self.resumed:
                callback.append = True
            if not isinstance(callback, tf.keras.callbacks.TensorBoard):
                users[f"{self.state.position.phase}.{index} {type(callback).__name__}"] = callback
        return users

    def _tensorboard(self, clock: Clock) -> TensorBoard:
        """TensorBoard with the arguments of the config's own `TensorBoard`, if it has one."""
        nodes = self.prepared.config.experiment.training.callbacks
        arguments = next((compute_arguments(node, {}) for node in nodes if node.class_name == "TensorBoard"), {})
        log_dir = Path(arguments.pop("log_dir", None) or self.run.tensorboard)
        if self.resumed:
            arguments["write_graph"] = False
        config = "" if self.resumed else self.prepared.config.resolved_yaml()
        return TensorBoard(log_dir, config=config, clock=clock, **arguments)


def _batches_from(prepared: Prepared, seed: int, step: int) -> Any:
    """All batches from a training step on."""
    experiment, split = prepared.config.experiment, prepared.splits.train
    epoch, first = divmod(step, steps_of_pass(experiment, split))
    return split.batches(
        experiment.data.batch_size, seed=seed, first_epoch=epoch, first_step=first, change=prepared.change
    )


def _validation(prepared: Prepared) -> Any | None:
    validation = prepared.splits.validation
    return validation and encoded(validation.ordered(prepared.config.experiment.data.batch_size), prepared.outputs)


def _build_metrics(prepared: Prepared) -> None:
    """Let Keras make the variables of loss and metrics, which it does with the first batch."""
    model = prepared.model
    inputs, targets, weights = next(iter(encoded(prepared.splits.train.ordered(1), prepared.outputs)))
    answers = model(inputs, training=False)
    answers = dict(zip(model.output_names, tf.nest.flatten(answers), strict=True))
    model.compute_loss(inputs, targets, answers, weights)
    model.compute_metrics(inputs, targets, answers, weights)
    model.reset_metrics()


def _files_of(callbacks: Mapping[str, Any]) -> list[Path]:
    loggers = [one for one in callbacks.values() if isinstance(one, tf.keras.callbacks.CSVLogger)]
    return [Path(logger.filename) for logger in loggers]

"""Train what was prepared, from the state that it is in, to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from trainkit.callbacks import Clock, HistoryFile, Progress, TensorBoard
from trainkit.callbacks.learning_rate import current_learning_rate
from trainkit.errors import TrainingError
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.objects import build, compute_arguments
from trainkit.runs import replace_file, write_json
from trainkit.training.checkpointing import Checkpointer, NotFiniteError
from trainkit.training.evaluation import evaluate
from trainkit.training.execution import Executor, Plan, Planner, of_every_batch
from trainkit.training.failure import telling_failures
from trainkit.training.length import Length, samples_of_epoch
from trainkit.training.log import say
from trainkit.training.loop import Loop
from trainkit.training.loss_scale import plain_optimizer
from trainkit.training.precision import as_float32
from trainkit.training.profile import VALIDATION, Profile
from trainkit.training.restoring import restore_weights, without_optimizer
from trainkit.training.rollback import go_back
from trainkit.training.scale.follower import divert
from trainkit.training.scale.signals import signals_of
from trainkit.training.session import Session
from trainkit.training.signals import Signals
from trainkit.training.validation import validation_of


class Training(Session):
    """A training that can be run; see `Session` for its arguments."""

    profile: Profile | None = None
    """Times its parts, if that is asked for."""
    _lower_rate = 1.0
    """What the rate of the checkpoint is multiplied by."""

    def __call__(self) -> dict[str, Any]:
        """Train, save the best epoch's model, and measure it.

        Returns:
            What metrics.json holds.

        Raises:
            TrainingError: If Keras or a callback fails, a number is not finite any more, or no epoch had a finite value
                to be chosen by.
        """
        signals = signals_of(self.team)
        with signals.listening(), telling_failures():
            while self.state.position.phase < len(self.prepared.phases):
                try:
                    self._run_phase(signals)
                except NotFiniteError as error:
                    self._lower_rate = go_back(self, error)
                    self._from_checkpoint = True
                else:
                    self.state.position.next_phase()
        return self._finish()

    def _run_phase(self, signals: Signals) -> None:
        prepared, run, state = self.prepared, self.run, self.state
        experiment, model = prepared.config.experiment, prepared.model
        length = self.set_up(from_checkpoint=self._from_checkpoint)
        if len(prepared.phases) > 1:
            say(self.console, f"phase {self.phase.name}")
        clock = Clock(samples_of_epoch(experiment, prepared.splits.train, length))
        progress = self._progress(clock)
        board = self._tensorboard(clock)
        own = {"clock": clock, "progress": progress, "history": HistoryFile(run.history, clock), "board": board}
        users = self._users()
        guard = Checkpointer(
            self.checkpoints,
            experiment.training.checkpoints,
            state=state,
            monitor=prepared.best,
            callbacks={name: one for name, one in own.items() if hasattr(one, "get_state")} | users,
            files=lambda: [*board.files, *_files_of(users), run.log],
            signals=signals,
            strict=experiment.training.determinism == "strict",
            again=self._from_checkpoint and (self._lower_rate != 1 or self._is_changed),
            config=prepared.config.resolved_yaml(),
        )
        self._use_lower_rate()
        hooked = [board, *users.values()]
        loop = Loop(
            model,
            train=self._executor(length, hooked),
            validation=self._validation(hooked),
            callbacks=[*own.values(), *users.values()],
            length=length,
            position=state.position,
            guard=guard,
        )
        self._from_checkpoint, self._anew, self._is_changed = False, "nothing", False
        profile = self.profile
        if profile:
            profile.callbacks(loop.callbacks.callbacks)
            profile.guard(guard)
        try:
            with profile.phase() if profile else nullcontext():
                loop.run()
        finally:
            progress.close()
            board.close()
            if profile:
                profile.write(run, self.console)

    def _validation(self, callbacks: list[Any]) -> Callable[..., dict[str, float]] | None:
        prepared = self.prepared
        split, experiment = prepared.splits.validation, prepared.config.experiment
        validation = validation_of(prepared.model, split, experiment, prepared.outputs, callbacks)
        return self.profile.watch.timed(VALIDATION, validation) if self.profile and validation else validation

    def _executor(self, length: Length, callbacks: Sequence[Any]) -> Executor:
        """What runs the training steps of the phase: as they were run before, or as is chosen now and written down."""
        run, position, training = self.run, self.state.position, self.prepared.config.experiment.training
        every_batch = of_every_batch(callbacks)
        planner = Planner(
            self.prepared.model,
            self.batches,
            training,
            step=position.step,
            remaining=position.phase_step + length.steps - position.step,
            every_batch=every_batch,
        )
        if self.profile:
            return self.profile.executor(planner.single())
        asked = training.how.model_dump() | self._replicas()
        recorded: dict[str, Any] = run.read_manifest().get("execution", {})
        known = recorded.get(str(position.phase), {})
        if known.get("asked") == asked and known.get("every_batch") == list(every_batch):
            return planner.executor(Plan.from_json(known["plan"]))
        executor, choice = planner.choose()
        say(self.console, str(choice))
        phase = {"asked": asked, "every_batch": list(every_batch)} | choice.to_json()
        run.update_manifest(execution=recorded | {str(position.phase): phase})
        return executor

    def _replicas(self) -> dict[str, int]:
        """How many replicas there are, if several."""
        count = self.prepared.model.distribute_strategy.num_replicas_in_sync
        return {"replicas": count} if count > 1 else {}

    def _use_lower_rate(self) -> None:
        """Multiply a rate that is a number and came from a checkpoint; others were multiplied when they were built."""
        optimizer, factor = plain_optimizer(self.prepared.model.optimizer), self._lower_rate
        if factor != 1 and not isinstance(optimizer._learning_rate, tf.keras.optimizers.schedules.LearningRateSchedule):
            optimizer.learning_rate = current_learning_rate(optimizer) * factor
        self._lower_rate = 1.0

    def _finish(self) -> dict[str, Any]:
        """Take the best epoch's weights, save the model, measure it."""
        prepared, state, run = self.prepared, self.state, self.run
        if state.best is None:
            monitor = prepared.best.monitor
            raise TrainingError(f"no epoch had a finite {monitor}: there is no model. Lower the learning rate.")
        plain = without_optimizer(prepared.model)
        restore_weights(self.checkpoints, state.best.step, plain)
        plain = as_float32(plain)
        with replace_file(run.model) as temporary:
            plain.save(temporary, save_format="keras")
        if not self.team.is_chief:
            return {}
        predictor = KerasPredictor(run.model if self._replicas() else plain)
        metrics: dict[str, Any] = {"best": state.best.to_json()}
        for name, split in (("validation", prepared.splits.validation), ("test", prepared.splits.test)):
            if split is not None:
                metrics[name] = evaluate(predictor, split, prepared.outputs, prepared.config.experiment)
        write_json(run.metrics, metrics)
        return metrics

    def _progress(self, clock: Clock) -> Progress:
        lengths = self.lengths()
        epochs = sum(length.epochs for length in lengths)
        return Progress(self.console, epochs=epochs, steps=lengths[0].steps_per_epoch, clock=clock)

    def _users(self) -> dict[str, Any]:
        """The callbacks of the phase by name, but for a `TensorBoard`, whose arguments the own one takes."""
        users, phase = {}, self.state.position.phase
        with self.prepared.config.locating():
            built = [build(node, self.prepared.splits.train.facts.values) for node in self.phase.callbacks]
        for index, callback in enumerate(built):
            if not self.team.is_chief:
                divert(callback, self.run.directory)
            if isinstance(callback, tf.keras.callbacks.CSVLogger):
                self._open(callback)
            if not isinstance(callback, tf.keras.callbacks.TensorBoard):
                users[f"{phase}.{index} {type(callback).__name__}"] = callback
        return users

    def _open(self, logger: Any) -> None:
        """Let a `CSVLogger` go on with its file, or begin it: Keras would do so with the first epoch only."""
        if self._from_checkpoint or self.state.position.phase:
            logger.append = True
        elif not logger.append:
            Path(logger.filename).write_bytes(b"")

    def _tensorboard(self, clock: Clock) -> TensorBoard:
        """TensorBoard with the arguments of the config's own `TensorBoard`, if it has one."""
        nodes = self.phase.callbacks
        arguments = next((compute_arguments(node, {}) for node in nodes if node.class_name == "TensorBoard"), {})
        log_dir = Path(arguments.pop("log_dir", None) or self.run.tensorboard)
        log_dir = log_dir if self.team.is_chief else self.run.tensorboard
        is_written = self.state.position.step > 0
        if is_written:
            arguments["write_graph"] = False
        config = "" if is_written else self.prepared.config.resolved_yaml()
        return TensorBoard(log_dir, config=config, clock=clock, **arguments)


def _files_of(callbacks: Mapping[str, Any]) -> list[Path]:
    loggers = [one for one in callbacks.values() if isinstance(one, tf.keras.callbacks.CSVLogger)]
    return [Path(logger.filename) for logger in loggers]

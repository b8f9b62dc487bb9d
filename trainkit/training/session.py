"""A training in its run directory: what it is of, where it is, and how its model is set up."""

from __future__ import annotations

from typing import Literal

from rich.console import Console

from trainkit.callbacks.learning_rate import current_learning_rate
from trainkit.runs import Run
from trainkit.training.batches import Batches
from trainkit.training.compile import compile_model, make_resumable
from trainkit.training.length import Length
from trainkit.training.phases import Phase, apply_phase, optimizer_of
from trainkit.training.prepare import Prepared
from trainkit.training.restoring import restore
from trainkit.training.scale.follower import checkpoints_of
from trainkit.training.scale.team import Team
from trainkit.training.state import State


class Session:
    """A training in its run directory.

    Args:
        run: Where it is written down.
        prepared: Data and model.
        state: Where it is; kept up to date.
        console: Where progress is shown.
        resumed: Whether it goes on from the checkpoint of the state's step.
        anew: What of the optimizer is not taken from that checkpoint.
        is_changed: Whether the state is not that of the checkpoint, because the config has changed since.
    """

    def __init__(
        self,
        run: Run,
        prepared: Prepared,
        state: State,
        console: Console,
        *,
        resumed: bool = False,
        anew: Literal["nothing", "rate", "all"] = "nothing",
        is_changed: bool = False,
    ) -> None:
        self.run, self.prepared, self.state, self.console = run, prepared, state, console
        self.team = Team(prepared.model.distribute_strategy)
        self.checkpoints = checkpoints_of(self.team, run)
        self._from_checkpoint, self._anew, self._is_changed = resumed, anew, is_changed

    def set_up(self, *, from_checkpoint: bool) -> Length:
        """Let learn what learns in the phase at hand, by its optimizer.

        Args:
            from_checkpoint: Whether the variables of the checkpoint of the state's step are restored.

        Returns:
            How long the phase is.
        """
        prepared, model, phase = self.prepared, self.prepared.model, self.phase
        config, split = prepared.config, prepared.splits.train
        with config.locating(), model.distribute_strategy.scope():
            apply_phase(model, phase)
            optimizer = optimizer_of(config, split, phase, rate_factor=self.state.rate_factor)
            compile_model(config, model, split, prepared.outputs, optimizer)
        make_resumable(model, split, prepared.outputs, seed=self.state.seed)
        if from_checkpoint:
            self._restore()
        return self.lengths()[self.state.position.phase]

    def _restore(self) -> None:
        optimizer = self.prepared.model.optimizer
        rate = current_learning_rate(optimizer) if self._anew == "rate" else None
        restore(self.checkpoints, self.state.position.step, self.prepared.model, optimizer=self._anew != "all")
        if rate is not None:
            optimizer.learning_rate = rate

    @property
    def batches(self) -> Batches:
        """The training batches."""
        return self.prepared.batches(self.state.seed)

    def lengths(self) -> list[Length]:
        """How long each phase is."""
        experiment, split, position = self.prepared.config.experiment, self.prepared.splits.train, self.state.position
        lengths = [phase.length(experiment, split) for phase in self.prepared.phases]
        lengths[position.phase] = lengths[position.phase].longer(position.lacking)
        return lengths

    @property
    def phase(self) -> Phase:
        """The phase at hand."""
        return self.prepared.phases[self.state.position.phase]

"""Choose how training steps are run: by what is known, and by measuring where that can pay."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from trainkit.config import Training
from trainkit.errors import TrainingError
from trainkit.framework import tf
from trainkit.training.batches import Batches
from trainkit.training.execution.executor import Executor
from trainkit.training.execution.feeds import MOST, Feed, Resident, Streamed
from trainkit.training.execution.plan import Plan
from trainkit.training.execution.trial import Trial
from trainkit.training.unchanged import unchanged

CALL_SECONDS = 0.8
"""How long a call lasts at most, about: between two calls the progress is shown and signals are answered."""

FEW_STEPS = 32
"""A training of no more steps is over before measuring would have paid."""

COMPILING = 3.0
"""How many times as long as making a graph XLA takes to compile it, at least."""

WORTH = 0.1
"""What part of the training time a trial of XLA may cost."""

BETTER = 0.95
"""What part of the time of a step another way must not exceed to be taken."""

SLOW_ON_CPU = ("Conv", "DepthwiseConv", "While", "StatelessWhile")
"""How the names of operations begin for which XLA has no fast code on CPUs: networks with such took 1.2 to 140 times as
long a step; recurrent ones are even compiled anew in each call."""

MOST_TOLD = 300
"""Characters of what XLA says."""

GPU_BYTES = 2**30
"""Samples that are held in the memory of a GPU take no more."""


@dataclass(frozen=True)
class Choice:
    """How training steps are run, and why.

    Args:
        plan: The way.
        milliseconds: What a step took in each way that was measured, by the name of the way; none where nothing was.
        every_batch: Callbacks that are asked for every batch, so that a call does one step.
        cost: Milliseconds that they cost a step, beside those of their own.
    """

    plan: Plan
    milliseconds: dict[str, float] = field(default_factory=dict)
    every_batch: tuple[str, ...] = ()
    cost: float = 0.0

    def __str__(self) -> str:
        """What a person is told of it."""
        told = ", ".join(f"{name} {value:.3g} ms" for name, value in self.milliseconds.items())
        measured = f"; a step: {told}" if told else ""
        return f"execution: {self.plan}{measured}{self._told_cost()}"

    def _told_cost(self) -> str:
        if not self.every_batch or self.plan.steps_per_execution > 1:
            return ""
        names = ", ".join(self.every_batch)
        cost = f", which costs {self.cost:.2g} ms a step" if self.cost > 0 else ""
        return f"\n{names} {'is' if len(self.every_batch) == 1 else 'are'} asked for every batch{cost}"

    def to_json(self) -> dict[str, Any]:
        """As manifest.json has it."""
        return {"plan": self.plan.to_json(), "milliseconds_per_step": self.milliseconds}


class Planner:
    """Chooses how the training steps of a model are run.

    What the config says holds. Else samples in memory are held on the device; augmentations run where they are faster;
    XLA is tried where the training is so long that trying it can pay, and taken where it is faster. `determinism:
    strict` and `graph: eager` measure nothing: tf.data, one step a call.

    Args:
        model: A compiled `tf.keras.Model`, all its variables made.
        batches: The training batches.
        training: What the config says.
        step: Steps done.
        remaining: Steps to do.
        every_batch: Callbacks that are to be asked for every batch.
    """

    def __init__(
        self,
        model: Any,
        batches: Batches,
        training: Training,
        *,
        step: int,
        remaining: int,
        every_batch: tuple[str, ...] = (),
    ) -> None:
        self._model, self._batches, self._how = model, batches, training.how
        self._fixed = training.determinism == "strict" or training.graph == "eager"
        self._step, self._remaining, self._every_batch = step, remaining, every_batch

    def executor(self, plan: Plan) -> Executor:
        """Runs the training steps in a way."""
        return Executor(self._model, feed_of(self._batches, self._model.distribute_strategy, plan), plan)

    def single(self) -> Executor:
        """What does a step a call, in the way that is likely the best; nothing is measured."""
        plan = next(iter(self._ways()))
        return self.executor(replace(plan, jit_compile=plan.jit_compile and "step", steps_per_execution=1))

    def plain(self) -> Executor:
        """The same without XLA, whatever the config says: for steps that need what callbacks do before each of them."""
        return self.executor(Plan(self._places()[0]))

    def choose(self) -> tuple[Executor, Choice]:
        """The way, and what runs the training steps in it."""
        ways = list(self._ways())
        plan = replace(ways[0], steps_per_execution=self._how.steps_per_execution or 1)
        if self._fixed or (self._remaining <= FEW_STEPS and not self._how.jit_compile):
            return self.executor(plan), Choice(plan)
        try:
            with unchanged(self._model):
                trials = self._measure(ways)
        except tf.errors.OpError:
            if not self._every_batch:
                raise
            return self.executor(plan), Choice(plan, {}, self._every_batch)  # trial steps go without their callbacks
        best = min(trials, key=lambda trial: trial.seconds * (1.0 if trial is trials[0] else 1 / BETTER))
        plan = replace(best.executor.plan, steps_per_execution=self._count(best))
        best.executor.plan = plan
        best.executor.feed.rewind()
        told = {_name(trial.executor.plan): round(1000 * trial.seconds, 4) for trial in trials}
        cost = 1000 * (best.single - best.seconds) if self._every_batch else 0.0
        return best.executor, Choice(plan, told, self._every_batch, cost)

    def _ways(self) -> Iterator[Plan]:
        """The ways that are worth measuring; the first is measured first."""
        places = self._places()
        if not self._how.jit_compile:
            yield from (Plan(place, "", MOST) for place in places)
        if self._how.jit_compile is not False and self._may_compile:
            yield from (Plan(place, kind, MOST) for place in places for kind in self._kinds(place))

    def _places(self) -> list[Literal["device", "stream"]]:
        """Where batches may come from; the first is the better one where nothing is measured."""
        if self._how.data is not None:
            return [self._how.data]
        if self._fixed or not fits(self._batches):
            return ["stream"]
        return ["stream", "device"] if self._batches.augments else ["device"]

    @property
    def _may_compile(self) -> bool:
        several = self._model.distribute_strategy.num_replicas_in_sync > 1
        return bool(self._how.jit_compile) or not (several or self._fixed)

    def _kinds(self, place: str) -> list[Literal["step", "loop"]]:
        """What XLA can compile: a loop only where batches are gathered inside of it and have one shape."""
        is_simple = not self._batches.augments and self._batches.split.has_one_shape
        return ["loop", "step"] if place == "device" and is_simple else ["step"]

    def _measure(self, ways: Iterable[Plan]) -> list[Trial]:
        trials: list[Trial] = []
        failure: tf.errors.OpError | None = None
        for plan in ways:
            if trials and not self._pays(trials, plan):
                continue
            try:
                trials.append(Trial(self.executor(plan), self._step))
            except tf.errors.OpError as error:
                if not plan.jit_compile:
                    raise
                failure = error  # XLA does not know every operation
        if failure and not trials:
            told = str(failure).strip().splitlines()[0][:MOST_TOLD]
            message = "training.execution.jit_compile must be false: XLA cannot compile this network. Received: true."
            raise TrainingError(f"{message} XLA says: {told}") from failure
        if len(trials) > 1:
            for trial in trials:
                trial.again()
        return trials

    def _pays(self, trials: list[Trial], plan: Plan) -> bool:
        """Whether trying another way costs little beside the training that comes; XLA once, unless it was a loss."""
        before = trials[0]
        if plan.jit_compile and any(
            trial.executor.plan.jit_compile and (trial is before or trial.seconds < before.seconds) for trial in trials
        ):
            return False
        if plan.jit_compile and self._is_slow_on_cpu(before):
            return False
        cost = before.first * (COMPILING if plan.jit_compile else 1.0)
        return cost <= WORTH * self._remaining * before.seconds

    def _is_slow_on_cpu(self, trial: Trial) -> bool:
        if tf.config.list_logical_devices("GPU"):
            return False
        return any(name.startswith(SLOW_ON_CPU) for name in trial.executor.operations(self._step))

    def _count(self, trial: Trial) -> int:
        """Steps of a call."""
        if self._how.steps_per_execution is not None:
            return self._how.steps_per_execution
        if self._every_batch:
            return 1
        steps = self._batches.steps_per_pass
        calls = max(1, math.ceil(steps * trial.seconds / CALL_SECONDS))
        return math.ceil(steps / calls)  # all calls of a pass alike


def feed_of(batches: Batches, strategy: Any, plan: Plan) -> Feed:
    """Where the steps of a plan get their batches from."""
    return Resident(batches, strategy) if plan.data == "device" else Streamed.of(batches, strategy)


def fits(batches: Batches) -> bool:
    """Whether the samples can be held on the device: they are in memory already, which a CPU shares."""
    memory = batches.split.memory
    return memory is not None and (memory <= GPU_BYTES or not tf.config.list_logical_devices("GPU"))


def of_every_batch(callbacks: Iterable[Any]) -> tuple[str, ...]:
    """The names of Keras callbacks that are to be asked for every training batch.

    One of ours for which the end of each call will do says so, with `asked_every_batch`.
    """
    asked = (one for one in callbacks if getattr(one, "asked_every_batch", one._implements_train_batch_hooks()))
    return tuple(type(one).__name__ for one in asked)


def _name(plan: Plan) -> str:
    return f"{plan.data}{', XLA' if plan.jit_compile else ''}{' for each step' if plan.jit_compile == 'step' else ''}"

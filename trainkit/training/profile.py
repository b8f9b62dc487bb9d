"""`trainkit fit --profile`: where the time of a training goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from trainkit.callbacks import Clock, HistoryFile, Progress, TensorBoard
from trainkit.framework import tf
from trainkit.runs import Run, write_json
from trainkit.training.execution import Executor
from trainkit.training.loop import Guard
from trainkit.training.stopwatch import Stopwatch

GRAPH, INPUT, STEP = "making the graph", "input", "train step"
VALIDATION, CHECKPOINTS, FINITE, REST = "validation", "checkpoints", "watch for NaN", "rest"
TRACE = "recording TensorBoard's profile"
PARTS = {Clock: "progress", Progress: "progress", HistoryFile: "history.csv", TensorBoard: "TensorBoard"}
"""What the time of TrainKit's own callbacks counts as; of another callback it is the name of its class."""

TRACED = range(10, 20)
"""Of the steps of a process, those that TensorBoard's profile shows."""


class Profile:
    """Times the parts of a training.

    Args:
        tensorboard: Where TensorBoard's profile goes.
    """

    def __init__(self, tensorboard: Path) -> None:
        self.watch = Stopwatch()
        self.steps = 0
        self._tensorboard = tensorboard
        self._is_tracing = False

    def executor(self, executor: Executor) -> ProfiledExecutor:
        """Runs the training steps of another one, each in two parts."""
        return ProfiledExecutor(executor, self)

    def callbacks(self, callbacks: Iterable[Any]) -> None:
        """Time what callbacks are asked."""
        for callback in callbacks:
            part = PARTS.get(type(callback), type(callback).__name__)
            for name in dir(type(callback)):
                if name.startswith("on_") and not hasattr(getattr(callback, name), "_is_default"):
                    setattr(callback, name, self.watch.timed(part, getattr(callback, name)))

    def guard(self, guard: Guard) -> None:
        """Time what a guard does."""
        for name, part in (("save", CHECKPOINTS), ("after_steps", FINITE)):
            setattr(guard, name, self.watch.timed(part, getattr(guard, name)))

    @contextmanager
    def phase(self) -> Iterator[None]:
        """Count the seconds of a phase; those of none of its parts are the rest."""
        try:
            with self.watch(REST):
                yield
        finally:
            self._end_trace()

    def step(self) -> None:
        """Count a step, and record those that TensorBoard shows."""
        self.steps += 1
        if self.steps == TRACED.start:
            with self.watch(TRACE), suppress(tf.errors.OpError):  # somebody else records already
                tf.profiler.experimental.start(str(self._tensorboard))
                self._is_tracing = True
        elif self.steps == TRACED.stop:
            self._end_trace()

    def _end_trace(self) -> None:
        if self._is_tracing:
            with self.watch(TRACE):
                tf.profiler.experimental.stop()
        self._is_tracing = False

    def write(self, run: Run, console: Console) -> None:
        """Show the parts, and write `profile.json`."""
        total, rows = sum(self.watch.seconds.values()), self._rows()
        parts = {part: {"seconds": seconds, "share": seconds / total} for part, seconds in rows}
        write_json(run.profile, {"version": 1, "steps": self.steps, "seconds": total, "parts": parts})
        table = Table(title=f"where the time of {self.steps:,} steps went", title_justify="left")
        table.add_column("part")
        for name in ("seconds", "share", "ms a step"):
            table.add_column(name, justify="right")
        for part, seconds in [*rows, ("all", total)]:
            each = 1000 * seconds / max(self.steps, 1)
            table.add_row(part, f"{seconds:.2f}", f"{seconds / total:.1%}", f"{each:.3f}")
        console.print(table)

    def _rows(self) -> list[tuple[str, float]]:
        return sorted(self.watch.seconds.items(), key=lambda row: -row[1])


class ProfiledExecutor(Executor):
    """Runs training steps one by one, so that waiting for a batch can be told from computing with it.

    Args:
        executor: Whose model, feed and plan it takes; of the plan, all but the steps of a call.
        profile: Gets the times.
    """

    def __init__(self, executor: Executor, profile: Profile) -> None:
        self.model, self.feed, self.plan = executor.model, executor.feed, executor.plan
        self._profile = profile
        step, strategy = self._replica_step(), self.model.distribute_strategy
        self._fetch = self._function(lambda *item: strategy.run(self.feed.batch, args=item))

        def run(*batch: Any) -> dict[str, Any]:
            strategy.run(step, args=batch)
            return dict(self.model.get_metrics_result())

        self._train = self._function(run)

    def _function(self, function: Callable[..., Any]) -> Any:
        return function if self.model.run_eagerly else tf.function(function, reduce_retracing=True)

    def __call__(self, step: int, most: int, *, end: int | None = None) -> tuple[int, dict[str, Any]]:
        """Do one step; it does not look whether all is finite."""
        watch, traces = self._profile.watch, self._traces()
        before = {part: watch.seconds.get(part, 0.0) for part in (INPUT, STEP)}
        items: list[Any] = []
        with watch(INPUT):
            self.feed.each(lambda *item: items.append(item), *self.feed.arguments(step, 1))
            batch = self._fetch(*items[0])
        self._show(self._train)
        with watch(STEP):
            values = self._train(*batch)
            float(next(iter(values.values())))  # until now it may only have been sent to a device
        if self._traces() > traces:
            for part, seconds in before.items():
                watch.move(watch.seconds[part] - seconds, part, GRAPH)
        self._profile.step()
        return 1, values

    def _traces(self) -> int:
        """How many times a function was made into a graph."""
        functions = [] if self.model.run_eagerly else [self._fetch, self._train]
        return sum(function.experimental_get_tracing_count() for function in functions)

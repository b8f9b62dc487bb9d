"""The progress of a training on the console and in its log."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from trainkit.callbacks.clock import Clock
from trainkit.framework import tf

LOG = logging.getLogger("trainkit")
REFRESH_SECONDS = 0.2


class Progress(tf.keras.callbacks.Callback):
    """A bar of the whole training on a terminal, and a line for each epoch everywhere.

    Args:
        console: Where to write.
        epochs: Of the training.
        steps: Of an epoch.
        clock: The clock of the training.
    """

    def __init__(self, console: Console, *, epochs: int, steps: int, clock: Clock) -> None:
        super().__init__()
        self._supports_tf_logs = True  # else Keras waits for every batch's metrics
        self.console = console
        self.epochs = epochs
        self.steps = steps
        self.clock = clock

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Show the bar."""
        self.bar = Bar(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=24),
            TextColumn("step {task.fields[step]}/{task.fields[steps]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[values]}"),
            console=self.console,
            transient=True,
        )
        fields: dict[str, Any] = {"epoch": 0, "epochs": self.epochs, "step": 0, "steps": self.steps, "values": ""}
        self.task = self.bar.add_task("fit", total=self.epochs * self.steps, **fields)
        if self.console.is_terminal:
            self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self.epoch = epoch
        self.shown = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar, a few times a second."""
        now = time.perf_counter()
        if not self.console.is_terminal or now - self.shown < REFRESH_SECONDS:
            return
        self.shown = now
        speed = self.clock.samples_per_second((batch + 1) / self.steps)
        self.bar.update(
            self.task,
            completed=self.epoch * self.steps + batch + 1,
            epoch=self.epoch + 1,
            step=batch + 1,
            values=f"{_format(logs or {})}  {speed:,.0f} samples/s",
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the line of the epoch."""
        speed = f"{self.clock.samples_per_second():,.0f} samples/s"
        width = len(str(self.epochs))
        line = f"epoch {epoch + 1:>{width}}/{self.epochs}  {_format(logs or {})}  {speed}"
        LOG.info(line)
        self.bar.update(self.task, completed=(epoch + 1) * self.steps)
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away, also after an error."""
        if hasattr(self, "bar") and self.console.is_terminal:
            self.bar.stop()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Take the bar away."""
        self.close()


def _format(logs: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {float(value):.4f}" for name, value in logs.items() if name != "lr")

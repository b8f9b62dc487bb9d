"""Keep the last and the best state of the model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

from trainkit.errors import TrainingError
from trainkit.framework import tf
from trainkit.runs.checkpoints import save_checkpoint


class Checkpoint(tf.keras.callbacks.Callback):
    """Write `last` after every epoch, and `best` when the monitored value is better than ever before.

    Args:
        directory: Where `last` and `best` stand.
        monitor: A metric, as it is in the logs of an epoch.
        mode: Whether less or more of it is better.

    Raises:
        TrainingError: If the monitored value is not among the logs.
    """

    def __init__(self, directory: Path, *, monitor: str, mode: Literal["min", "max"]) -> None:
        super().__init__()
        self.directory = directory
        self.monitor = monitor
        self.mode = mode

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget what an earlier training found best."""
        self.best_value = math.inf if self.mode == "min" else -math.inf
        self.best_epoch: int | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the checkpoints that this epoch deserves."""
        if self.monitor not in (logs or {}):
            known = ", ".join(logs or {})
            raise TrainingError(f"best.monitor must be a metric of the epoch: {known}. Received: {self.monitor!r}.")
        value = float(logs[self.monitor])  # type: ignore[index]
        facts = {"epoch": epoch + 1, "monitor": self.monitor, "value": value if math.isfinite(value) else None}
        save_checkpoint(self.directory / "last", self.model, facts)
        better = value < self.best_value if self.mode == "min" else value > self.best_value
        if better and math.isfinite(value):
            self.best_value, self.best_epoch = value, epoch + 1
            save_checkpoint(self.directory / "best", self.model, facts)

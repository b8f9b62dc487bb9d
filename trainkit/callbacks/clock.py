"""How long the training steps of an epoch take."""

from __future__ import annotations

import time
from typing import Any

from trainkit.framework import tf


class Clock(tf.keras.callbacks.Callback):
    """Time the training part of each epoch, for the callbacks that come after it.

    Args:
        samples: Of an epoch.
    """

    def __init__(self, samples: int) -> None:
        super().__init__()
        self._supports_tf_logs = True  # else Keras waits for every batch's metrics
        self.samples = samples
        self._before = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start."""
        self._before = 0.0
        self._began = time.perf_counter()
        self._stopped: float | None = None

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Stop: validation is not training."""
        self._stop()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop, if there was no validation."""
        self._stop()

    @property
    def seconds(self) -> float:
        """Seconds that this epoch's training steps have taken so far, or took."""
        return self._before + (self._stopped or time.perf_counter()) - self._began

    def samples_per_second(self, share: float = 1.0) -> float:
        """Samples a second, when `share` of the epoch is done."""
        return self.samples * share / max(self.seconds, 1e-9)

    def get_state(self) -> dict[str, Any]:
        """The seconds of an epoch that is not done yet."""
        return {"seconds": self.seconds if hasattr(self, "_began") else 0.0}

    def set_state(self, state: dict[str, Any]) -> None:
        """Count the seconds that an earlier process has spent on this epoch."""
        self._before = state["seconds"]

    def _stop(self) -> None:
        self._stopped = self._stopped or time.perf_counter()

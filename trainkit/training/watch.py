"""What a fine-tuning is watched for."""

from __future__ import annotations

import math
import time
from typing import Any

from trainkit.errors import TrainingError
from trainkit.framework import tf


class Watch(tf.keras.callbacks.Callback):
    """Ends a training whose loss is no number any more, and counts its seconds from process to process."""

    def __init__(self) -> None:
        super().__init__()
        self._supports_tf_logs = True  # else Keras waits for every batch's metrics
        self.before = 0.0
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the loss."""
        if not math.isfinite((logs or {})["loss"]):
            raise TrainingError("the loss is no number any more. Lower `deploy.fine_tune.learning_rate`.")

    def get_state(self) -> dict[str, Any]:
        """The seconds of all processes so far."""
        return {"seconds": self.before + time.monotonic() - self._began}

    def set_state(self, state: dict[str, Any]) -> None:
        """Count on from an earlier process."""
        self.before = state["seconds"]

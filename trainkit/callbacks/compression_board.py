"""TensorBoard's event files of a compression step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trainkit.framework import tf

POINTS_PER_EPOCH = 20


class CompressionBoard(tf.keras.callbacks.Callback):
    """Write the loss by training step, with the share of zeros where weights are pruned, and Keras' logs by epoch.

    Args:
        log_dir: Where the event files go, beside those that are there.
        steps_per_epoch: Training steps of an epoch.
    """

    asked_every_batch = False
    """The end of a call of several steps will do."""

    def __init__(self, log_dir: Path, *, steps_per_epoch: int) -> None:
        super().__init__()
        self._supports_tf_logs = True  # else Keras waits for every batch's metrics
        self.log_dir = log_dir
        self.every = max(1, steps_per_epoch // POINTS_PER_EPOCH)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the file."""
        self.writer = tf.summary.create_file_writer(str(self.log_dir))
        self.step = int(self.model._train_counter)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write loss and zeros, a few times an epoch."""
        before, self.step = self.step, int(self.model._train_counter)
        if self.step // self.every > before // self.every:
            self._write({"batch_loss": (logs or {}).get("loss"), "zeros": _share_of_zeros(self.model)}, self.step)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write loss and metrics, of training and validation."""
        self._write({f"epoch_{name}": value for name, value in (logs or {}).items()}, epoch + 1)

    def flush(self) -> None:
        """Write what is in memory to the files."""
        self.writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the file."""
        self.writer.close()

    def _write(self, scalars: dict[str, Any], step: int) -> None:
        with self.writer.as_default():
            for name, value in scalars.items():
                if value is not None:
                    tf.summary.scalar(name, float(value), step=step)


def _share_of_zeros(model: Any) -> float | None:
    """Of the kernels that are pruned: a wrapper has their zeros in a mask, and sets them before each step."""
    variables = [weight for weight in model.non_trainable_weights if hasattr(weight, "name")]  # vocabularies have none
    masks = [variable.numpy() for variable in variables if variable.name.endswith("mask:0")]
    values = sum(mask.size for mask in masks)
    return 1 - sum(np.count_nonzero(mask) for mask in masks) / values if values else None

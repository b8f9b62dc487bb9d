"""TensorBoard's event files, with what a training framework knows besides."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainkit.callbacks.clock import Clock
from trainkit.callbacks.learning_rate import current_learning_rate
from trainkit.errors import OutputError
from trainkit.framework import tf
from trainkit.runs.variables import output_error

DESCRIPTIONS = {"epoch_samples_per_second": "Training samples a second; the time of the validation is not counted."}
"""What TensorBoard shows beside a scalar."""


class TensorBoard(tf.keras.callbacks.TensorBoard):
    """Keras' TensorBoard callback, which also writes the throughput and the config.

    Scalars by epoch, counted from 1 as everywhere in a run: loss and metrics of training and validation, the learning
    rate, samples a second. Besides: the graph, and the config as text.

    Args:
        log_dir: Where the event files go.
        config: The resolved config, YAML; nothing where it was written before.
        clock: The clock of the training.
        arguments: More arguments of Keras' callback.
    """

    def __init__(self, log_dir: Path, *, config: str, clock: Clock, **arguments: Any) -> None:
        super().__init__(log_dir=str(log_dir), **arguments)
        self._whole: dict[Path, int] = {}
        self.config = config
        self.clock = clock

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the files and write the config."""
        super().on_train_begin(logs)
        if not self.config:
            return
        with self._train_writer.as_default():
            tf.summary.text("config", f"```yaml\n{self.config}\n```", step=0)

    @property
    def files(self) -> list[Path]:
        """The event files that this process has written; others may write into the same directory."""
        pattern = f"*/*.tfevents.*.{socket.gethostname()}.{os.getpid()}.*"
        return sorted(Path(self.log_dir).glob(pattern))

    def flush(self) -> None:
        """Put on the disk what was written so far.

        Raises:
            OutputError: If it is not there whole; TensorFlow tells of some such failures only.
        """
        try:
            for writer in self._writers.values():
                writer.flush()
        except tf.errors.OpError as error:
            raise output_error(Path(self.log_dir), error) from error
        for filepath in self.files:
            self._whole[filepath] = end_of_records(filepath, self._whole.get(filepath, 0))
            if self._whole[filepath] != filepath.stat().st_size:
                raise OutputError(
                    f"{filepath.absolute()} cannot be written: a part of it is missing, as on a disk that is full."
                )

    def close(self) -> None:
        """Put all on the disk and close the files, also after an error; nothing more is written by default."""
        while self._prev_summary_state:
            self._pop_writer()
        self._close_writers()

    def _implements_train_batch_hooks(self) -> bool:
        """Keras asks here whether every batch is to be told of; it forgets the scalars of batches."""
        return bool(super()._implements_train_batch_hooks()) or self.update_freq != "epoch"

    def _log_epoch_metrics(self, epoch: int, logs: dict[str, Any] | None) -> None:
        """Keras writes loss and metrics here, one by one, and counts epochs from 0."""
        values = logs or {}
        found = {f"epoch_{name}": value for name, value in values.items() if not name.startswith("val_")}
        found["epoch_learning_rate"] = current_learning_rate(self.model.optimizer)
        if self.write_steps_per_second:
            found["epoch_steps_per_second"] = self._compute_steps_per_second()
        found["epoch_samples_per_second"] = self.clock.samples_per_second()
        _write(self._train_writer, epoch + 1, found)
        validated = {f"epoch_{name[4:]}": value for name, value in values.items() if name.startswith("val_")}
        if validated:
            _write(self._val_writer, epoch + 1, validated)

    def _log_weights(self, epoch: int) -> None:
        """Keras writes histograms here, and counts epochs from 0."""
        super()._log_weights(epoch + 1)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the scalars of the batch, where they are wanted: Keras makes them in any case."""
        super().on_train_batch_end(batch, None if self.update_freq == "epoch" else logs)


def _write(writer: Any, step: int, scalars: Mapping[str, float]) -> None:
    """Write scalars as one record, which takes a fraction of the time of one for each."""
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb

    parts = [scalar_pb(tag, value, DESCRIPTIONS.get(tag)).SerializeToString() for tag, value in scalars.items()]
    with writer.as_default(), tf.summary.record_if(True):
        tf.summary.experimental.write_raw_pb(b"".join(parts), step=step)  # messages one behind the other are one


def end_of_records(filepath: Path, start: int) -> int:
    """The first byte behind the records of an event file that are whole.

    Args:
        filepath: Each record is its length (8 bytes), a checksum (4), as many bytes, and another checksum (4).
        start: Where a record begins.
    """
    size, end = filepath.stat().st_size, start
    with filepath.open("rb") as file:
        while end + 16 <= size:
            file.seek(end)
            following = end + 16 + struct.unpack("<Q", file.read(8))[0]
            if following > size:
                break
            end = following
    return end

"""Loss and metrics of every epoch, as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from trainkit.callbacks.clock import Clock
from trainkit.callbacks.learning_rate import current_learning_rate
from trainkit.framework import tf
from trainkit.runs import append_text, write_text


class HistoryFile(tf.keras.callbacks.Callback):
    """Write one row an epoch: epoch, seconds of training, learning rate, loss and metrics.

    Args:
        filepath: The CSV file; a row of it is there as soon as its epoch is done.
        clock: The clock of the training.
    """

    def __init__(self, filepath: Path, clock: Clock) -> None:
        super().__init__()
        self.filepath = filepath
        self.clock = clock

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin with no rows."""
        self.rows: list[dict[str, Any]] = []
        self._columns: list[str] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add a row."""
        values = {name: float(value) for name, value in (logs or {}).items()}
        rate = current_learning_rate(self.model.optimizer)
        self.rows.append({"epoch": epoch + 1, "seconds": round(self.clock.seconds, 3), "learning_rate": rate} | values)
        if self.rows[-1].keys() <= set(self._columns) and self.filepath.is_file():
            append_text(self.filepath, _csv(self._columns, self.rows[-1:], header=False))
        else:
            self._write()

    def get_state(self) -> dict[str, Any]:
        """The rows."""
        return {"rows": self.rows}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on behind the rows of an earlier process; what it wrote besides is gone."""
        self.rows = state["rows"]
        self._write()

    def _write(self) -> None:
        self._columns = list(dict.fromkeys(name for row in self.rows for name in row))
        write_text(self.filepath, _csv(self._columns, self.rows))


def _csv(columns: list[str], rows: list[dict[str, Any]], *, header: bool = True) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

"""What is told when a training fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trainkit.errors import TrainingError, TrainKitError
from trainkit.training.scale.lost import LOST, is_lost_worker


@contextmanager
def telling_failures() -> Iterator[None]:
    """Turn whatever a callback or TensorFlow raises in the block into a `TrainingError` of one line."""
    try:
        yield
    except Exception as error:
        if is_lost_worker(error):  # also where it was to be written what only all workers together can read
            raise TrainingError(LOST) from error
        if isinstance(error, TrainKitError):
            raise
        raise TrainingError(f"training failed: {type(error).__name__}: {_told(error)}") from error


def _told(error: Exception) -> str:
    """The first line of an error; of one that data have raised inside TensorFlow, the line that says so."""
    lines = str(error).splitlines() or [""]
    return next((line.partition("DataError: ")[2] for line in lines if "DataError: " in line), lines[0])

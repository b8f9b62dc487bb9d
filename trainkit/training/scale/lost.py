"""What is told when another worker of a training is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trainkit.errors import TrainingError
from trainkit.framework import tf

LOST = "another worker of this training has ended, or cannot be reached any more: what it says itself tells why."
_SIGNS = ("Collective ops is aborted", "coordination service", "Coordination service")


def is_lost_worker(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is TensorFlow's for a worker that does not answer."""
    while error is not None:
        if isinstance(error, tf.errors.OpError) and any(sign in str(error) for sign in _SIGNS):
            return True
        error = error.__cause__
    return False


@contextmanager
def telling_lost_workers() -> Iterator[None]:
    """Say it in the words of this training, wherever in the block it is noticed."""
    try:
        yield
    except tf.errors.OpError as error:
        if is_lost_worker(error):
            raise TrainingError(LOST) from error
        raise

"""All that training steps change in a model, and how it is put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainkit.runs.variables import variables_of


class Values:
    """What training steps change, as it is now: weights, optimizer, metrics, count of steps.

    Args:
        model: A compiled `tf.keras.Model`.
    """

    def __init__(self, model: Any) -> None:
        variables = [*variables_of(model, model.optimizer, *model.metrics), model._train_counter]
        self._pairs = [(variable, variable.read_value()) for variable in variables]

    def assign(self) -> None:
        """Set the model to it."""
        for variable, value in self._pairs:
            variable.assign(value)


@contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """After it, all that training steps change is what it was before."""
    values = Values(model)
    try:
        yield
    finally:
        values.assign()

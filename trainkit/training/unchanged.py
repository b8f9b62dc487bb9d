"""All that training steps change in a model, and how it is put back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from trainkit.framework import tf
from trainkit.runs.variables import variables_of


class Changing:
    """What training steps change: weights, optimizer, metrics, count of steps.

    Args:
        model: A compiled `tf.keras.Model`.
    """

    def __init__(self, model: Any) -> None:
        self._variables = [*variables_of(model, model.optimizer, *model.metrics), model._train_counter]
        self._read = tf.function(self.values)

    def values(self) -> list[Any]:
        """What it is now."""
        return [variable.read_value() for variable in self._variables]

    def values_again(self) -> list[Any]:
        """The same for one who asks often, of one replica: in one call."""
        return list(self._read())

    def assign(self, values: Iterable[Any]) -> None:
        """Set it to what it was."""
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)


@contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """After it, all that training steps change is what it was before."""
    changing = Changing(model)
    values = changing.values()
    try:
        yield
    finally:
        changing.assign(values)

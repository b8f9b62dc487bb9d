"""What all schedules of TrainKit share: exact steps, a config of their arguments, checked numbers."""

from __future__ import annotations

import inspect
import math
from numbers import Real
from typing import Any

from trainkit.errors import InputError, shown
from trainkit.framework import tf


class Schedule(tf.keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate as a function of the step alone.

    A subclass keeps each argument as an attribute of the same name, and says its `rate`. That is computed in float64:
    a power of 0.9999 is wrong by 3% at step 1,000,000 in float32.
    """

    def __call__(self, step: Any) -> Any:
        """The rate at a step, a float32 scalar.

        Args:
            step: How many updates came before; any number or scalar tensor.
        """
        return tf.cast(self.rate(tf.cast(step, tf.float64)), tf.float32)

    def rate(self, step: Any) -> Any:
        """The rate at a step, both float64."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}


def number(name: str, value: Any, *, least: float = -math.inf, above: float = -math.inf) -> float:
    """An argument as a number.

    Args:
        name: Of the argument.
        value: As it was given.
        least: The least that it may be.
        above: What it must be greater than.

    Raises:
        InputError: If it is no finite number, or out of its bounds.
    """
    rule = "a finite number"
    if least > -math.inf:
        rule = f"a number, at least {least:g}"
    elif above > -math.inf:
        rule = f"a number greater than {above:g}"
    is_number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value < least or value <= above:
        raise InputError(f"`{name}` must be {rule}. Received: {name}={shown(value)}.")
    return float(value)


def whole_number(name: str, value: Any, *, least: int) -> int:
    """An argument as a whole number.

    Raises:
        InputError: If it is none, or less than the least.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value != int(value) or value < least:
        rule = f"a whole number, at least {least} (`//` divides without a rest)"
        raise InputError(f"`{name}` must be {rule}. Received: {name}={shown(value)}.")
    return int(value)

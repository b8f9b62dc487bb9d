"""Up, and down again: the one-cycle schedule."""

from __future__ import annotations

import math
from typing import Any

from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.objects.schedules.base import Schedule, number, whole_number


@tf.keras.saving.register_keras_serializable(package="trainkit")
class OneCycle(Schedule):
    """A rate that rises along a cosine to its maximum, and falls along another to next to nothing.

    It begins at `max_learning_rate / div_factor`, is the highest at step `warmup_fraction · total_steps - 1`, and ends
    at the first rate divided by `final_div_factor`, at step `total_steps - 1`; it stays there. That is what
    PyTorch's `OneCycleLR` does with the rate; the momentum stays as it is.

    Args:
        max_learning_rate: The highest rate.
        total_steps: Steps of the whole cycle.
        warmup_fraction: The share of the steps in which it rises.
        div_factor: By what the highest rate is divided at the beginning.
        final_div_factor: By what the first rate is divided at the end.

    Reference:
        Smith 2018, A disciplined approach to neural network hyper-parameters, section 4.1.
    """

    def __init__(
        self,
        max_learning_rate: float,
        total_steps: int,
        warmup_fraction: float = 0.3,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        self.max_learning_rate = number("max_learning_rate", max_learning_rate, above=0)
        self.total_steps = whole_number("total_steps", total_steps, least=1)
        self.warmup_fraction = number("warmup_fraction", warmup_fraction, least=0)
        if self.warmup_fraction > 1:
            rule = "`warmup_fraction` must be at most 1, the whole training."
            raise InputError(f"{rule} Received: warmup_fraction={warmup_fraction!r}.")
        self.div_factor = number("div_factor", div_factor, least=1)
        self.final_div_factor = number("final_div_factor", final_div_factor, least=1)

    def rate(self, step: Any) -> Any:
        """The rate at a step."""
        first, end = self.max_learning_rate / self.div_factor, self.total_steps - 1
        last, peak = first / self.final_div_factor, max(self.warmup_fraction * self.total_steps - 1, 0)
        rising = _cosine(first, self.max_learning_rate, step / peak) if peak else self.max_learning_rate
        falling = _cosine(self.max_learning_rate, last, (step - peak) / (end - peak)) if end > peak else last
        return tf.where(step < peak, tf.cast(rising, tf.float64), tf.cast(falling, tf.float64))


def _cosine(start: float, end: float, part: Any) -> Any:
    """From `start` to `end` along half a cosine; `part` of the way, in `[0, 1]`."""
    return end + (start - end) / 2 * (1 + tf.cos(math.pi * tf.clip_by_value(part, 0, 1)))

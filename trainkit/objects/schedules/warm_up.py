"""A rate that begins low, before any schedule."""

from __future__ import annotations

from typing import Any

from trainkit.framework import tf
from trainkit.objects.schedules.base import Schedule, number, whole_number

_schedules = tf.keras.optimizers.schedules


@tf.keras.saving.register_keras_serializable(package="trainkit")
class WarmUp(Schedule):
    """A straight line from `start` to the first rate of a schedule, and then that schedule, from its own step 0.

    Args:
        learning_rate: What follows: a schedule, or a number that stays.
        steps: Steps of the warm-up; at this one, the schedule begins.
        start: The rate at step 0.

    Reference:
        Goyal et al. 2017, Accurate, large minibatch SGD, section 2.2.
    """

    def __init__(self, learning_rate: Any, steps: int, start: float = 0.0) -> None:
        is_schedule = isinstance(learning_rate, _schedules.LearningRateSchedule)
        self.learning_rate = learning_rate if is_schedule else number("learning_rate", learning_rate, least=0)
        self.steps = whole_number("steps", steps, least=1)
        self.start = number("start", start, least=0)

    def rate(self, step: Any) -> Any:
        """The rate at a step."""
        part = tf.minimum(step / self.steps, 1)
        warm = self.start + (self._after(tf.zeros_like(step)) - self.start) * part
        return tf.where(step < self.steps, warm, self._after(tf.maximum(step - self.steps, 0)))

    def _after(self, step: Any) -> Any:
        """The rate so many steps after the warm-up."""
        if isinstance(self.learning_rate, float):
            return tf.constant(self.learning_rate, tf.float64)
        return tf.cast(self.learning_rate(tf.cast(step, tf.int64)), tf.float64)

    def get_config(self) -> dict[str, Any]:
        """The arguments; a schedule as Keras writes it."""
        config = super().get_config()
        if not isinstance(self.learning_rate, float):
            config["learning_rate"] = _schedules.serialize(self.learning_rate)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WarmUp:
        """The same again, from `get_config`."""
        after = config["learning_rate"]
        return cls(**config | {"learning_rate": _schedules.deserialize(after) if isinstance(after, dict) else after})

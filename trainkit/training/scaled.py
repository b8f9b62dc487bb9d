"""A schedule times a number."""

from __future__ import annotations

from typing import Any

from trainkit.framework import tf

_schedules = tf.keras.optimizers.schedules


@tf.keras.saving.register_keras_serializable(package="trainkit")
class Scaled(tf.keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule, multiplied by a factor.

    Args:
        schedule: A `tf.keras.optimizers.schedules.LearningRateSchedule`, or the description of one.
        factor: Of every rate.

    Example:
        >>> slower = Scaled(_schedules.ExponentialDecay(1.0, decay_steps=1, decay_rate=0.5), 0.125)
        >>> float(slower(2))
        0.03125
    """

    def __init__(self, schedule: Any, factor: float) -> None:
        super().__init__()
        self.schedule = _schedules.deserialize(schedule) if isinstance(schedule, dict) else schedule
        self.factor = factor

    def __call__(self, step: Any) -> Any:
        """The rate of a step."""
        return self.schedule(step) * self.factor

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"schedule": _schedules.serialize(self.schedule), "factor": self.factor}

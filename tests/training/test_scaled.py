"""A schedule times a number."""

from __future__ import annotations

from trainkit.framework import tf
from trainkit.training.scaled import Scaled


def test_a_scaled_schedule_is_saved_and_read_back_with_what_it_scales():
    schedules = tf.keras.optimizers.schedules
    rate = Scaled(schedules.PiecewiseConstantDecay([2], [1.0, 0.5]), 0.25)
    twin = schedules.deserialize(schedules.serialize(rate))
    assert [float(twin(step)) for step in (0, 2, 3)] == [0.25, 0.25, 0.125]

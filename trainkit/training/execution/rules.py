"""What of `training.execution` does not go with the data or with other keys."""

from __future__ import annotations

from trainkit.config import SettingError, Training
from trainkit.data import Split

AT = ("training", "execution")


def check_execution(training: Training, split: Split) -> None:
    """Refuse a way to run training steps that there cannot be.

    Args:
        training: What the config says.
        split: The training samples.

    Raises:
        SettingError: With the place and the cure.
    """
    how = training.how
    if how.data == "device" and split.memory is None:
        message = (
            "must be stream: samples that are read from files for each batch are not in memory. Received: 'device'."
        )
        raise SettingError((*AT, "data"), message)
    if training.graph == "eager" and how.jit_compile:
        raise SettingError((*AT, "jit_compile"), "must be false beside `graph: eager`: XLA compiles graphs.")
    if training.graph == "eager" and (how.steps_per_execution or 1) > 1:
        message = "must be 1 beside `graph: eager`, which runs line by line."
        raise SettingError((*AT, "steps_per_execution"), f"{message} Received: {how.steps_per_execution}.")

"""What of `training.execution` does not go with the data or with other keys."""

from __future__ import annotations

from collections.abc import Iterator

from trainkit.config import Node, NodeError, SettingError, Training
from trainkit.data import Split

AT = ("training", "execution")


def check_execution(training: Training, split: Split, *, replicas: int = 1) -> None:
    """Refuse a way to run training steps that there cannot be.

    Args:
        training: What the config says.
        split: The training samples.
        replicas: How many replicas share each batch.

    Raises:
        SettingError: With the place and the cure.
        NodeError: At a loss that does not go with several replicas.
    """
    if replicas > 1:
        _check_replicas(training)
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


def _check_replicas(training: Training) -> None:
    """Refuse what replicas cannot do together."""
    if training.how.jit_compile:
        message = "must be false with several replicas: they meet in the middle of a step, which XLA cannot compile."
        raise SettingError((*AT, "jit_compile"), f"{message} Received: true.")
    if (count := training.gradient_accumulation_steps) > 1:
        message = "must be 1 with several replicas. Make `data.batch_size` larger instead: they share it."
        raise SettingError(("training", "gradient_accumulation_steps"), f"{message} Received: {count}.")
    for loss in _losses(training):
        if loss.arguments.get("reduction") in ("sum", "none"):
            message = "must be left out with several replicas: each has the mean of its share of a batch."
            raise NodeError(loss, message, argument="reduction")


def _losses(training: Training) -> Iterator[Node]:
    yield from training.loss.values() if isinstance(training.loss, dict) else [training.loss]

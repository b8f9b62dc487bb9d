"""What of a config cannot be right, or cannot be run, with several replicas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trainkit.config import NodeError, SettingError, Training
from trainkit.training.outputs import Output


def check_replicas(training: Training, outputs: Iterable[Output], strategy: Any) -> None:
    """Refuse what several replicas would not compute as one device does.

    Args:
        training: What the config says.
        outputs: What is learned.
        strategy: The `tf.distribute.Strategy` of the training.

    Raises:
        SettingError: With the place and the cure.
        NodeError: At a loss.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return
    if training.how.jit_compile:
        cure = "Leave it out, or take `strategy: OneDevice`."
        message = f"must be false with several replicas, which XLA cannot compile as one. Received: true, {replicas}"
        raise SettingError(("training", "execution", "jit_compile"), f"{message} replicas. {cure}")
    for output in outputs:
        if str(output.loss.arguments.get("reduction", "")).lower() == "sum":
            told = f"`reduction` must be sum_over_batch_size with several replicas ({replicas}), each of which has "
            message = f"{told}a part of a batch: the parts of a sum would be averaged. Received: 'sum'."
            raise NodeError(output.loss, message, argument="reduction")

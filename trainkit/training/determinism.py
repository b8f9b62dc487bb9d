"""How much of a training follows from its seed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from trainkit.callbacks.memory import why_unkept
from trainkit.config import Experiment, NodeError, SettingError
from trainkit.framework import tf
from trainkit.training.phases import Phase
from trainkit.training.unkept import raises_when_deterministic, unkept_randomness

AT = ("training", "determinism")


def choose_seed(experiment: Experiment) -> int:
    """The seed of weights, order and random layers: the config's, or with `determinism: off` another in every run."""
    return secrets.randbelow(2**31) if experiment.training.determinism == "off" else experiment.seed


def seed_everything(experiment: Experiment, seed: int) -> None:
    """Seed Python, NumPy and TensorFlow; with `determinism: strict` let TensorFlow compute every bit alike.

    That holds for the process: TensorFlow has no way back from it.
    """
    tf.keras.utils.set_random_seed(seed)
    if experiment.training.determinism == "strict":
        tf.config.experimental.enable_op_determinism()


def check_callbacks(phases: Sequence[Phase], callbacks: Sequence[Sequence[Any]]) -> None:
    """Refuse callbacks that know what no checkpoint can hold.

    Args:
        phases: The parts of the training.
        callbacks: The callbacks of each, built.

    Raises:
        NodeError: At the callback.
    """
    for phase, built in zip(phases, callbacks, strict=True):
        for node, callback in zip(phase.callbacks, built, strict=True):
            if told := why_unkept(callback):
                raise NodeError(node, f"determinism: strict: {told}")


def check_strict(model: Any, phases: Sequence[Phase], batches: Any) -> None:
    """Refuse what would not be the same after a training has gone on from a checkpoint.

    Args:
        model: The compiled model, its random layers keyed.
        phases: The parts of the training.
        batches: Of the training.

    Raises:
        SettingError: That names the layer and the operation.
        NodeError: If an optimizer keeps what no checkpoint can hold.
    """
    for phase in phases:
        if phase.optimizer.class_name == "Nadam":
            message = "Nadam counts in Python, which no checkpoint holds. Take Adam, or `determinism: seeded`."
            raise NodeError(phase.optimizer, f"determinism: strict: {message}")
    model.make_train_function()
    step = model.train_tf_function.get_concrete_function(iter(batches))
    gpu = bool(tf.config.list_physical_devices("GPU"))
    for told in [*unkept_randomness(model, step), *raises_when_deterministic(model, step, gpu=gpu)]:
        raise SettingError(AT, f"strict: {told}")

"""The schedule of `deploy.fine_tune`: what can be told of it before any training."""

from __future__ import annotations

from dataclasses import replace

from trainkit.config import Config, Node, NodeError, SettingError
from trainkit.data import Split
from trainkit.framework import tf
from trainkit.objects import build, first_sentence
from trainkit.training.compile import schedule_scope
from trainkit.training.phases import phases_of


def check_tuning_rate(config: Config, split: Split) -> None:
    """Refuse a schedule of `deploy.fine_tune` that cannot be.

    Keras lets a schedule win over ReduceLROnPlateau without a word, and looks at its numbers in the first step only.

    Args:
        config: Of a run.
        split: Its training samples.

    Raises:
        SettingError: If it stands beside ReduceLROnPlateau.
        NodeError: If it gives no rate.
    """
    experiment, phase = config.experiment, phases_of(config.experiment)[-1]
    node, compressors = experiment.deploy.fine_tune.learning_rate, experiment.deploy.compress
    if not isinstance(node, Node):
        return
    if "ReduceLROnPlateau" in [callback.class_name for callback in phase.callbacks]:
        message = "must be a number beside the callback ReduceLROnPlateau, which has no effect on a schedule."
        raise SettingError(("deploy", "fine_tune", "learning_rate"), message)
    length = phase.length(experiment, split)
    tuned = max((one.arguments.get("epochs", 1) for one in compressors), default=1) * length.steps_per_epoch
    rate = build(node, schedule_scope(config, split, replace(length, steps=max(length.steps, tuned))))
    try:
        float(rate(0))
    except (TypeError, ValueError, tf.errors.OpError) as error:
        arguments = ", ".join(f"{key}={value!r}" for key, value in node.arguments.items())
        told = f"must have numbers that give a rate for the first step: {first_sentence(error)}"
        message = f"{node.class_name} {told}. Received: {arguments}. Numbers stand without quotes."
        raise NodeError(node, message) from error

"""What one step does to a model: Keras' own train and test steps, for a replica's share of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainkit.framework import tf

Step = Callable[[Any, "Any | None"], None]
"""`step(batch, share)`; what it measures stays in the metrics of the model."""


def train_step(model: Any) -> Step:
    """`Model.train_step`, whose loss is multiplied by the share, and which counts `Model._train_counter` up.

    Args:
        model: A compiled `tf.keras.Model`.
    """

    def step(batch: Any, share: Any | None) -> None:
        inputs, targets, weights = _unpacked(batch)
        with tf.GradientTape() as tape:
            answers = model(inputs, training=True)
            loss = model.compute_loss(inputs, targets, answers, weights)
            if share is not None:
                loss *= tf.cast(share, loss.dtype)
        model._validate_target_and_loss(targets, loss)
        updated = model.optimizer.minimize(loss, model.trainable_variables, tape=tape)
        model.compute_metrics(inputs, targets, answers, weights)
        with tf.control_dependencies([] if updated is None else [updated]):
            model._train_counter.assign_add(1)

    return step


def test_step(model: Any) -> Step:
    """`Model.test_step`; the mean of a metric counts samples, so that shares need no care."""

    def step(batch: Any, share: Any | None) -> None:
        inputs, targets, weights = _unpacked(batch)
        answers = model(inputs, training=False)
        model.compute_loss(inputs, targets, answers, weights)
        model.compute_metrics(inputs, targets, answers, weights)

    return step


def _unpacked(batch: Any) -> tuple[Any, Any, Any]:
    inputs, targets, weights = tf.keras.utils.unpack_x_y_sample_weight(batch)
    return inputs, targets, weights or None

"""How much memory a training takes: an estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trainkit.framework import tf
from trainkit.models.costs import Amount, kept_activations
from trainkit.models.weights import weight_bytes
from trainkit.training.loss_scale import plain_optimizer

_PROBE = (70, 110)


@dataclass(frozen=True)
class TrainingMemory:
    """What a training holds at once, in bytes: an estimate.

    Not counted are what the computation of single layers takes for itself, the data, and TensorFlow, which takes some
    hundred megabytes.

    Args:
        weights: All weights, trained or not.
        gradients: One for each trained weight.
        optimizer: What the optimizer remembers of each trained weight.
        activations: Of the whole batch, what the backward pass is computed from.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: Amount

    @property
    def total(self) -> Amount:
        """All four."""
        return Amount(self.weights + self.gradients + self.optimizer) + self.activations


def training_memory(model: Any, *, batch_size: int) -> TrainingMemory:
    """Estimate what training a model takes.

    Args:
        model: A compiled `tf.keras.Model`; nothing is computed with it.
        batch_size: Samples of a step.
    """
    trained = weight_bytes(model.trainable_weights)
    return TrainingMemory(
        weights=weight_bytes(model.weights),
        gradients=trained,
        optimizer=round(trained * slots_per_weight(model.optimizer)),
        activations=kept_activations(model) * batch_size,
    )


def slots_per_weight(optimizer: Any) -> float:
    """How many numbers an optimizer remembers of each weight: SGD one, Adam two.

    Args:
        optimizer: A `tf.keras.optimizers.Optimizer`; it is left as it is: a second one is tried on a matrix.
    """
    optimizer = plain_optimizer(optimizer)
    probe = type(optimizer).from_config(optimizer.get_config())
    probe.build([tf.Variable(tf.zeros(_PROBE))])
    sizes = [int(slot.shape.num_elements()) for slot in probe.variables]
    return sum(size for size in sizes if size > 1) / (_PROBE[0] * _PROBE[1])

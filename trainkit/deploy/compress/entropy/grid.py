"""A weight that is computed as a learned step times integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainkit.deploy.compress.entropy.rate import bits_of
from trainkit.framework import tf

COARSE = 2
"""Steps in the standard deviation of a weight, at first."""
FINE = 16
"""Steps in the mean size of a weight whose values are nearly the same."""
SMALLEST = 1e-6
"""A step of a weight that is all zero."""


class OnGrid(tf.keras.layers.Layer):
    """Rounds a weight to a learned step times integers, and adds to the loss what the integers cost.

    The gradient goes through the rounding to the weight as if there were none; to the step it is that of the rounded
    values with the integers fixed, less that of the weight: LSQ's.

    Args:
        weight: The variable that is rounded; its values tell the first step.
        price: What a bit adds to the loss once `ramp` training steps are done; before, it grows from 0 along a line.
        ramp: Training steps.
        keep_zeros: Whether what is zero now stays so.

    Reference:
        Esser et al., Learned Step Size Quantization, ICLR 2020, equation 3.
    """

    def __init__(self, weight: Any, *, price: float, ramp: int, keep_zeros: bool = False) -> None:
        super().__init__(dtype=weight.dtype, name="grid")
        values = weight.numpy()
        self.price, self.ramp = price, ramp
        self.first = first_step(values)
        self.stretch = self.add_weight("stretch", shape=(), initializer="zeros")
        self.pressure = self.add_weight(
            "pressure",
            shape=(),
            initializer="zeros",
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        self.mask = None
        if keep_zeros:
            ones = tf.keras.initializers.Constant((values != 0).astype(values.dtype))
            self.mask = self.add_weight("mask", shape=values.shape, initializer=ones, trainable=False)
        self.add_loss(lambda: self.price * self.pressure * bits_of(self.scaled(weight)))

    @property
    def step(self) -> Any:
        """The distance of two values; its logarithm is what is learned."""
        return self.first * tf.exp(self.stretch)

    def scaled(self, weight: Any) -> Any:
        """A weight in steps, before it is rounded."""
        values = weight if self.mask is None else weight * self.mask
        return values / self.step

    def call(self, weight: Any, training: Any = None) -> Any:
        """The weight on its grid."""
        if training:
            self.pressure.assign(tf.minimum(self.pressure + 1.0 / self.ramp, 1.0))
        return self.step * round_straight(self.scaled(weight))


@tf.custom_gradient
def round_straight(values: Any) -> tuple[Any, Any]:
    """Round to integers; the gradient is that of the values."""
    return tf.round(values), lambda gradient: gradient


def first_step(values: np.ndarray) -> float:
    """The step that a weight starts with.

    Example:
        >>> first_step(np.array([-1.0, 1.0])), first_step(np.array([1.0, 1.0]))
        (0.5, 0.0625)
    """
    return max(float(np.std(values)) / COARSE, float(np.mean(np.abs(values))) / FINE, SMALLEST)

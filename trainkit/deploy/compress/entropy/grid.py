"""A weight that is computed as a learned step times integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from trainkit.deploy.compress.entropy.rate import rate_of
from trainkit.deploy.compress.reparameterized import add_state
from trainkit.framework import tf

COARSE = 2
"""Steps in the standard deviation of a weight, at first."""
FINE = 16
"""Steps in the mean size of a weight whose values are nearly the same."""
SMALLEST = 1e-2
"""The first step of a weight that is all zero."""
EVERY = 10
"""Training steps after which bits are counted anew: a weight changes little in so few."""
HASTE = 2
"""How fast a price follows: while there are e times as many bits as wanted, it grows by e this often in a ramp."""
MOST = 4.0
"""How many times too many bits, or too few, make a difference."""


class Goal(NamedTuple):
    """How many bits all weights together are to have.

    Args:
        bits: So many.
        total: Tells how many there are.
    """

    bits: float
    total: Callable[[], Any]


class OnGrid(tf.keras.layers.Layer):
    """Rounds a weight to a learned step times integers, and adds to the loss what the integers cost.

    The gradient of the rounded values goes to the weight as if it were not rounded, and to the step as LSQ has it; that
    of the cost pulls each value to 0 by what its outermost integer costs, and the step upwards.

    Args:
        weight: The variable that is rounded; its values tell the first step.
        price: What a bit adds to the loss once `ramp` training steps are done; before, it grows from 0 along a line.
        ramp: Training steps.
        goal: What the price follows from then on; without one it stays.
        keep_zeros: Whether what is zero now stays so.
        calls: How often a training step rounds the weight: that of a layer that stands in a network more than once.
        layout: Height, width, channels and units: where there is an image, neighbours tell of each other.

    Reference:
        Esser et al., Learned Step Size Quantization, ICLR 2020, equation 3.
    """

    def __init__(
        self,
        weight: Any,
        *,
        price: float,
        ramp: int,
        goal: Goal | None = None,
        keep_zeros: bool = False,
        calls: int = 1,
        layout: Sequence[int] | None = None,
    ) -> None:
        super().__init__(dtype=weight.dtype, name="grid")
        values = weight.numpy()
        self.ramp, self.every, self.goal, self.layout = calls * ramp, calls * EVERY, goal, layout
        self.first = first_step(values)
        self.stretch = self.add_weight("stretch", shape=(), initializer="zeros")
        self.price = add_state(self, "price", tf.constant(price, weight.dtype))
        self.trained = add_state(self, "trained", tf.zeros((), tf.int64))
        self.bits = add_state(self, "bits", tf.zeros((), weight.dtype))
        self.pull = add_state(self, "pull", tf.zeros_like(values))
        self.mask = add_state(self, "mask", tf.cast(values != 0, weight.dtype)) if keep_zeros else None
        self.add_loss(lambda: self.cost(weight))

    @property
    def step(self) -> Any:
        """The distance of two values; its logarithm is what is learned."""
        return self.first * tf.exp(self.stretch)

    def call(self, weight: Any, training: Any = None) -> Any:
        """The weight on its grid."""
        weight = self._masked(tf.convert_to_tensor(weight))
        if training:
            tf.cond(self.trained % self.every == 0, lambda: self._count_bits(weight), tf.no_op)
            self.trained.assign_add(1)
        return round_to(weight, self.step)

    def cost(self, weight: Any) -> Any:
        """What the bits add to the loss, as they were counted last."""
        grown = tf.minimum(tf.cast(self.trained, weight.dtype) / self.ramp, 1.0)
        pulled = tf.reduce_sum(self.pull * weight) * tf.exp(tf.stop_gradient(self.stretch) - self.stretch)
        return self.price * grown * (self.bits + pulled - tf.stop_gradient(pulled))

    def _count_bits(self, weight: Any) -> Any:
        bits, slopes = rate_of(weight / self.step, self.layout)
        self.bits.assign(bits)
        self.pull.assign(slopes * tf.sign(weight) / self.step)
        if self.goal is not None:
            missed = tf.clip_by_value(self.goal.total() / self.goal.bits, 1 / MOST, MOST)
            haste = tf.where(self.trained < self.ramp, 0.0, min(1.0, HASTE * self.every / self.ramp))
            self.price.assign(self.price * missed**haste)
        return tf.no_op()

    def _masked(self, weight: Any) -> Any:
        return weight if self.mask is None else weight * self.mask


@tf.custom_gradient
def round_to(weight: Any, step: Any) -> tuple[Any, Any]:
    """Round a weight to a step times integers, 0 among them and never -0; see `OnGrid` for the gradient."""
    values = step * (tf.round(weight / step) + 0.0)

    def gradient(upstream: Any) -> tuple[Any, Any]:
        return upstream, tf.reduce_sum(upstream * (values - weight)) / step

    return values, gradient


def first_step(values: np.ndarray) -> float:
    """The step that a weight starts with.

    Example:
        >>> first_step(np.array([-1.0, 1.0])), first_step(np.array([1.0, 1.0]))
        (0.5, 0.0625)
    """
    return max(float(np.std(values)) / COARSE, float(np.mean(np.abs(values))) / FINE) or SMALLEST

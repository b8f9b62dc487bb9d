"""Dynamic network surgery: weights that were pruned, and turn out to matter, come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
from annotated_types import Ge, Lt

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.kernels import choose, kernels_of, promise_zeros
from trainkit.deploy.compress.masks import Masked, grown, train_masked
from trainkit.deploy.compress.result import CompressionResult, promised_zeros
from trainkit.errors import InputError
from trainkit.framework import tf

UPDATES = 100
"""How often the thresholds of kernels of a sparsity are found anew."""

GROWING = 0.5
"""Share of the steps of the surgery in which the sparsity grows."""

MARGIN = 0.1
"""How far, as a share of the threshold, a weight must be beyond it to be pruned or to come back."""


def dynamic_network_surgery(
    model: Any,
    *,
    sparsity: Annotated[float, Ge(0), Lt(1)] = 0.9,
    layers: Annotated[dict[str, float] | None, Ge(0), Lt(1)] = None,
    c: dict[str, float] | None = None,
    gamma: Annotated[float, Ge(0)] = 1e-4,
    power: Annotated[float, Ge(0)] = 1.0,
    surgery: Annotated[float, Ge(0), Lt(1)] = 0.75,
    epochs: Annotated[int, Ge(1)] = 10,
    context: CompressionContext,
) -> CompressionResult:
    """Set small weights to 0 while all of them are trained on, so that those that grow again come back.

    A weight is pruned where it is below a threshold by a tenth of it, and comes back where it is above by as much; in
    between it stays what it is. In each step the zeros of a kernel are chosen anew with a probability of
    `(1 + gamma × step) ** -power`, until the surgery is over.

    The gradient that a weight has where it counts as 0 moves it. Optimizers that make all gradients equally large, as
    Adam does, let weights that do not matter come back: SGD with momentum goes with this.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        sparsity: Share of the values of each kernel that are 0 in the end. It grows, fast at first, in the first half
            of the surgery.
        layers: Sparsities of their own for patterns of layer names, the first that fits: `{conv1: 0, "dense*": 0.98}`.
        c: For patterns of layer names, the threshold in the paper's way: so many standard deviations above the mean of
            the absolute values that the kernel had before, from the first step on. How sparse such a kernel becomes,
            training decides.
        gamma: How fast the probability falls.
        power: How fast it falls.
        surgery: Share of the steps after which zeros stay what they are.
        epochs: Passes over the training samples.
        context: What every compressor is told.

    Returns:
        A plain model, and the promise of its zeros.

    Raises:
        InputError: If a pattern fits no layer, or there is nothing to prune.

    Reference:
        Guo, Yao and Chen, Dynamic Network Surgery for Efficient DNNs, NIPS 2016, section 3.
    """
    kernels = kernels_of(model)
    left_alone = {name for name, share in choose(kernels, None, layers).items() if share == 0}
    wanted, factors = choose(kernels, sparsity, layers), choose(kernels, None, c, argument="c")
    factors |= dict.fromkeys(left_alone)
    aims = _aims(kernels, wanted, factors, promised_zeros(context.promises))
    if not aims:
        told = f"Received: none with a sparsity above 0 or with a `c`, {sparsity=}."
        raise InputError(f"DynamicNetworkSurgery must have a kernel to prune. {told}")
    steps = int(surgery * epochs * context.steps_per_epoch)
    operate = _Surgery(aims, steps, gamma, power)
    pruned = train_masked(model, aims, operate, epochs=epochs, context=context, revives=True)
    return CompressionResult(pruned, promise_zeros(pruned, aims, step="DynamicNetworkSurgery"))


class _Aim(NamedTuple):
    """What a kernel is to become.

    Args:
        threshold: The least that its threshold is.
        start: Its share of zeros before.
        end: The least share of zeros after.
    """

    threshold: float
    start: float
    end: float


def _aims(
    kernels: Mapping[str, np.ndarray],
    wanted: Mapping[str, float],
    factors: Mapping[str, float | None],
    promised: Mapping[str, float],
) -> dict[str, _Aim]:
    """What each kernel that is pruned is to become: never less sparse than was promised before."""
    aims = {}
    for name, kernel in kernels.items():
        start, factor = promised.get(name, 0.0), factors[name]
        fixed = 0.0 if factor is None else _threshold(kernel, factor)
        aims[name] = _Aim(fixed, start, max(start, wanted[name] if factor is None else 0.0))
    return {name: aim for name, aim in aims.items() if aim.threshold or aim.end}


def _threshold(kernel: np.ndarray, factor: float) -> float:
    """So many standard deviations above the mean of the absolute values that are not 0."""
    sizes = np.abs(kernel[kernel != 0])
    return max(0.0, float(sizes.mean() + factor * sizes.std())) if sizes.size else 0.0


@dataclass(frozen=True)
class _Surgery:
    """Prunes weights, and lets them come back.

    Args:
        aims: What kernels are to become, by layer.
        steps: Training steps until it is over.
        gamma: How fast its probability falls.
        power: How fast it falls.
    """

    aims: Mapping[str, _Aim]
    steps: int
    gamma: float
    power: float

    def __call__(self, step: Any, kernels: Sequence[Masked]) -> None:
        """Choose the zeros before a step, with the probability that it has."""

        def operate() -> Any:
            for index, one in enumerate(kernels):
                self._operate(step, index, one)
            return step

        tf.cond(step <= self.steps, operate, lambda: step)

    def _operate(self, step: Any, index: int, kernel: Masked) -> None:
        """Of one kernel: what is left of its size after the margin, up or down, is held against the threshold."""
        size = tf.abs(kernel.weight)
        strength = size / tf.where(kernel.mask > 0, tf.cast(1 - MARGIN, size.dtype), tf.cast(1 + MARGIN, size.dtype))
        is_last = tf.equal(step, self.steps)
        every = max(1, int(GROWING * self.steps) // UPDATES)
        aim = self.aims[kernel.layer]
        progress = tf.maximum(step / max(1, int(GROWING * self.steps)), tf.cast(is_last, tf.float64))

        def find() -> Any:
            share = grown(aim.start, aim.end, progress)
            return tf.maximum(tf.cast(aim.threshold, size.dtype), _threshold_of(strength, share, int(aim.end < 1)))

        kernel.threshold.assign(tf.cond((step % every == 0) | is_last, find, lambda: kernel.threshold + 0))
        chance = (1 + self.gamma * tf.cast(step, tf.float32)) ** -self.power
        drawn = tf.random.stateless_uniform([], [index, tf.cast(step, tf.int32)], alg="philox") < chance
        chosen = tf.cast(strength > kernel.threshold, size.dtype)
        kernel.mask.assign(tf.where(drawn | is_last, chosen, kernel.mask))


def _threshold_of(values: Any, share: Any, least: int) -> Any:
    """What so large a share of the values does not exceed, and so many at least do."""
    ordered = tf.sort(tf.reshape(values, [-1]))
    size = int(ordered.shape[0])
    count = tf.minimum(tf.cast(tf.round(share * size), tf.int32), size - least)
    return tf.where(count > 0, ordered[tf.maximum(count, 1) - 1], tf.zeros([], values.dtype))

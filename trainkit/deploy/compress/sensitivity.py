"""What zeros in each kernel cost, and how many a budget allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from trainkit.deploy.compress.context import CompressionContext, Measurement
from trainkit.deploy.compress.masks import Masked

SHARES = (0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
"""How much of what is left of a kernel is set to 0, one after the other."""

SAMPLES = 2000
"""How many validation samples each of them is measured on."""

HALVINGS = 12
"""How often the range of orders of magnitude is halved in which the loss lies that each kernel may cost."""


@dataclass(frozen=True)
class Sensitivity:
    """What zeros in each kernel cost, all others as they are.

    Args:
        before: The model as it is, on the same samples.
        zeros: By layer, how sparse its kernel was.
        measured: By layer, what the model then was.
    """

    before: Measurement
    zeros: Mapping[str, Sequence[float]]
    measured: Mapping[str, Sequence[Measurement]]

    def shares_at(self, loss: float) -> dict[str, float]:
        """How much of what is left of each kernel may go for so much more loss.

        Between two shares that were measured, the loss grows evenly; it never falls.
        """
        return {layer: float(np.interp(loss, self._losses(layer) + _APART, (0.0, *SHARES))) for layer in self.measured}

    @property
    def most(self) -> float:
        """The loss for which all that was measured may go."""
        return max(float(self._losses(layer)[-1] + _APART[-1]) for layer in self.measured)

    def _losses(self, layer: str) -> np.ndarray:
        more = [0.0, *(one.loss - self.before.loss for one in self.measured[layer])]
        return np.maximum.accumulate(more)

    def to_json(self) -> dict[str, Any]:
        """What `compression.json` holds."""
        return {
            "loss": self.before.loss,
            "accuracy": self.before.accuracy,
            "kernels": [
                {
                    "layer": layer,
                    "zeros": [round(share, 4) for share in self.zeros[layer]],
                    "loss": [one.loss for one in measured],
                    "accuracy": [one.accuracy for one in measured],
                }
                for layer, measured in self.measured.items()
            ],
        }


_APART = 1e-9 * np.arange(len(SHARES) + 1)
"""Added to losses, so that no two of them are equal."""


def measure_sensitivity(model: Any, kernels: Sequence[Masked], context: CompressionContext) -> Sensitivity:
    """Measure a model with more and more zeros in one kernel after the other; afterwards it is as before.

    Args:
        model: A model that computes with masks.
        kernels: What is masked.
        context: What every compressor is told.

    Reference:
        Han et al., Learning both Weights and Connections for Efficient Neural Networks, NIPS 2015, figure 6.
    """
    measured: dict[str, list[Measurement]] = {}
    zeros: dict[str, list[float]] = {}
    for one in kernels:
        before = one.mask.numpy()
        for share in SHARES:
            thin([one], {one.layer: share})
            measured.setdefault(one.layer, []).append(context.measure(model, samples=SAMPLES))
            zeros.setdefault(one.layer, []).append(float(1 - one.mask.numpy().mean()))
            one.mask.assign(before)
    return Sensitivity(context.measure(model, samples=SAMPLES), zeros, measured)


def thin_within(
    model: Any, kernels: Sequence[Masked], sensitivity: Sensitivity, *, least: float, context: CompressionContext
) -> dict[str, float]:
    """Set as many of the smallest weights to 0 as leave an accuracy, all kernels at once and nothing trained.

    Every kernel may cost the same loss by itself, the largest for which the accuracy is left.

    Args:
        model: A model that computes with masks; they are set.
        kernels: What is masked.
        sensitivity: What zeros in each kernel cost.
        least: The accuracy on all validation samples that must be left.
        context: What every compressor is told.

    Returns:
        How much of what was left of each kernel has gone, by layer.
    """
    before = [one.mask.numpy() for one in kernels]

    def assign(shares: Mapping[str, float]) -> None:
        for one, mask in zip(kernels, before, strict=True):
            one.mask.assign(mask)
        thin(kernels, shares)

    chosen = dict.fromkeys(sensitivity.measured, 0.0)
    low, high = float(_APART[1]), sensitivity.most
    for _ in range(HALVINGS):
        middle = sqrt(low * high)
        shares = sensitivity.shares_at(middle)
        assign(shares)
        accuracy = context.measure(model).accuracy
        if accuracy is not None and accuracy >= least:
            low, chosen = middle, shares
        else:
            high = middle
    assign(chosen)
    return chosen


def thin(kernels: Sequence[Masked], shares: Mapping[str, float]) -> None:
    """Set a share of what is left of some kernels to 0, the smallest first; the largest stays."""
    for one in kernels:
        mask = one.mask.numpy().ravel()
        left = np.flatnonzero(mask)
        sizes = np.abs(one.weight.numpy().ravel()[left])
        count = min(round(shares[one.layer] * left.size), max(0, left.size - 1))
        gone = left[np.argsort(sizes, kind="stable")[:count]]
        mask[gone] = 0
        one.mask.assign(mask.reshape(one.mask.shape))

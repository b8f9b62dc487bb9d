"""Loss by learning rate, and the rates that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

End = Literal["highest", "diverged", "not finite"]
WIDTH = 0.2
"""Standard deviation of the weights of the smoothed loss, in powers of ten."""
LEAST_WIDTH = 4
"""The same in updates, where a power of ten has few."""
STILL_FALLS = 0.5
"""Up to which share of its steepest descent the loss is said to fall still."""

ROUNDING = 1e-6
"""The share of a loss in float32 that a fall has to be more than."""


@dataclass(frozen=True)
class RateCurve:
    """What a learning-rate range test has found.

    Args:
        rates: The learning rate of each update, rising by the same factor each time.
        losses: The loss of the batches of each update, before it; all are finite.
        end: Whether it came to the highest rate, or ended before: the loss diverged, or was not finite.
    """

    rates: np.ndarray
    losses: np.ndarray
    end: End

    @cached_property
    def smoothed(self) -> np.ndarray:
        """The loss of each update, by a line through it and its neighbours."""
        return self._lines[0]

    @cached_property
    def slope(self) -> np.ndarray:
        """How that line rises or falls, by power of ten."""
        return self._lines[1]

    @property
    def lowest(self) -> int:
        """The update whose smoothed loss is the lowest."""
        return int(np.argmin(self.smoothed))

    @property
    def falls(self) -> bool:
        """Whether the loss falls by more than the losses of the updates until then differ from the smoothed ones."""
        until = slice(0, self.lowest + 1)
        noise = np.std(self.losses[until] - self.smoothed[until]) + ROUNDING * abs(self.smoothed[0])
        return bool(self.smoothed[0] - self.smoothed[self.lowest] > noise)

    @property
    def steepest(self) -> float | None:
        """The rate at which the smoothed loss falls most; None where it does not fall."""
        return float(self.rates[self._steepest]) if self.falls else None

    @property
    def highest_safe(self) -> float | None:
        """The highest rate, from the steepest on, until which the loss falls at least half as much as there."""
        if not self.falls:
            return None
        after = self.slope[self._steepest :] > STILL_FALLS * self.slope[self._steepest]
        count = int(np.argmax(after)) if after.any() else len(after)
        return float(self.rates[self._steepest + count - 1])

    @property
    def _steepest(self) -> int:
        return int(np.argmin(self.slope[: self.lowest + 1]))

    @cached_property
    def _lines(self) -> tuple[np.ndarray, np.ndarray]:
        """The value and the slope of a line fitted around each point."""
        x = np.log10(self.rates)
        width = max(WIDTH, LEAST_WIDTH * (x[1] - x[0]))
        lines = [_line(x - one, self.losses, width) for one in x]
        values, slopes = zip(*lines, strict=True)
        return np.array(values), np.array(slopes)


def _line(distance: np.ndarray, y: np.ndarray, width: float) -> tuple[float, float]:
    """Value at distance 0 and slope of the line through points that count less the farther off they are."""
    weights = np.exp(-0.5 * (distance / width) ** 2)
    weights /= weights.sum()
    x_mean, y_mean = weights @ distance, weights @ y
    slope = (weights @ ((distance - x_mean) * (y - y_mean))) / (weights @ (distance - x_mean) ** 2)
    return float(y_mean - slope * x_mean), float(slope)

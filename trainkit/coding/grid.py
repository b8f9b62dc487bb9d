"""Whether real numbers are a step times integers, and which."""

from __future__ import annotations

import numpy as np

MOST = 2**15 - 1
"""The largest integer of a grid."""
_MOST_FIRST = 512
"""The largest integer that the smallest value but 0 may stand for."""
_FEW = 16
"""How many values are looked at before all are."""


@np.errstate(all="ignore")
def find_grid(values: np.ndarray) -> tuple[np.floating, np.ndarray] | None:
    """The step and the integers whose product, rounded as the dtype does, is every value, bit for bit.

    Args:
        values: Real numbers of any shape, not all 0.

    Returns:
        The largest such step and the integers, or None where there is no step.

    Example:
        >>> step, integers = find_grid(np.float32(0.1) * np.array([0, 3, -2, 7], np.float32))
        >>> float(step), integers.tolist()
        (0.10000000149011612, [0, 3, -2, 7])
    """
    sizes = np.unique(np.abs(values[values != 0]))
    if not sizes.size or not np.isfinite(sizes[-1]) or sizes[-1] / sizes[0] > MOST:
        return None
    for first in range(1, _MOST_FIRST + 1):
        rough = np.float64(sizes[0]) / first
        last = np.rint(np.float64(sizes[-1]) / rough)
        if last > MOST:
            return None
        for step in _near(values.dtype.type(np.float64(sizes[-1]) / last)):
            if _lie_on(sizes[:_FEW], step) and _lie_on(sizes, step):
                integers = np.rint(values.astype(np.float64) / np.float64(step)).astype(np.int64)
                same = integers.astype(values.dtype) * step == values
                return (step, integers) if same.all() and not _has_negative_zeros(values) else None
    return None


def _near(step: np.floating) -> list[np.floating]:
    """A number and its neighbours: products were rounded."""
    kind = type(step)
    below, above = np.nextafter(step, kind(0)), np.nextafter(step, kind(np.inf))
    return [step, below, above, np.nextafter(below, kind(0)), np.nextafter(above, kind(np.inf))]


def _lie_on(sizes: np.ndarray, step: np.floating) -> bool:
    integers = np.rint(sizes.astype(np.float64) / np.float64(step)) if step > 0 else np.zeros(len(sizes))
    return bool((integers.astype(sizes.dtype) * step == sizes).all())


def _has_negative_zeros(values: np.ndarray) -> bool:
    return bool(np.signbit(values[values == 0]).any())

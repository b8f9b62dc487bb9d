"""Arrays with all steps of all samples, and arrays of lengths beside them -> sequences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trainkit.data.array_files import Stored
from trainkit.errors import DataError

SUFFIX = "_lengths"
"""What the array of lengths is called after the name of its sequences."""


def with_lengths(stored: Mapping[str, Stored]) -> dict[str, Stored]:
    """Put arrays of lengths to the arrays whose steps they count: `x_lengths` to `x`.

    Args:
        stored: The arrays of a file by name.

    Returns:
        The arrays without those of lengths.

    Raises:
        DataError: If lengths are no whole numbers, or do not count the steps that there are.
    """
    named = {name: f"{name}{SUFFIX}" for name in stored if f"{name}{SUFFIX}" in stored}
    others = {name: item for name, item in stored.items() if name not in named.values()}
    return {
        name: item._replace(lengths=_check(item, stored[named[name]])) if name in named else item
        for name, item in others.items()
    }


def _check(steps: Stored, lengths: Stored) -> np.ndarray:
    array = lengths.array
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise DataError(
            f"{lengths.place} must hold whole numbers, one a sample: how many steps of {steps.place} it has. Received: "
            f"the shape {array.shape!r} of {array.dtype}."
        )
    counts = array.astype(np.int64)
    if counts.min() < 0:
        raise DataError(f"{lengths.place} must hold numbers of steps, 0 or more. Received: {int(counts.min())}.")
    if counts.sum() != len(steps.array):
        raise DataError(
            f"{lengths.place} must be, in sum, the steps of {steps.place}, which are those of all samples one after "
            f"the other. Received: {int(counts.sum()):,} for {len(steps.array):,} steps. Where that array has a row a "
            f"sample, give the lengths another name than one that ends with {SUFFIX!r}."
        )
    return counts

"""The training samples that ranges of integers are taken from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainkit.data import Split


def calibration_samples(split: Split, count: int, *, seed: int) -> Iterator[dict[str, np.ndarray]]:
    """Training samples, one a batch, in the order of the first epoch: so of all classes, as they come.

    Where the type of an input tells its range, two values of the first sample become its ends: an integer input then
    has a scale of 1 for bytes, and an app hands over raw pixels, whatever the brightest training image was.
    """
    fields = split.facts.inputs
    batches = split.batches(1, seed=seed).take(min(count, split.size))
    for index, (inputs, _, _) in enumerate(batches.as_numpy_iterator()):
        if index == 0:
            inputs = {name: array.copy() for name, array in inputs.items()}
            for name, array in inputs.items():
                if (ends := fields[name].value_range) is not None:
                    array.flat[0], array.flat[-1] = ends
        yield inputs

"""The fingerprint of a data set, by which a run knows its data again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from trainkit.data.splits import Split, Splits


def fingerprint(splits: Splits) -> str:
    """The sha256 of all splits: their shapes, classes, labels, and the inputs where those are in memory.

    Args:
        splits: The splits as they are trained on: another validation split is another fingerprint.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for role, split in vars(splits).items():
        if split is not None:
            digest.update(f"{role} {split.size} {split.facts!r}\n".encode())
            for array in _arrays(split):
                digest.update(f"{array.dtype.str} {array.shape!r}\n".encode())
                digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _arrays(split: Split) -> Iterable[np.ndarray]:
    yield split.labels()
    if split.arrays is not None:
        yield split.arrays["input"]

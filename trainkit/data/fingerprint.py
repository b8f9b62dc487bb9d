"""The fingerprint of a data set, by which a run knows its data again."""

from __future__ import annotations

import hashlib

from trainkit.data.records import Splits
from trainkit.data.splits import Split


def fingerprint(splits: Splits[Split]) -> str:
    """The sha256 of all splits: their shapes, classes, targets, weights and inputs.

    Args:
        splits: The splits as they are trained on: another validation split is another fingerprint.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for role, split in splits.present.items():
        digest.update(f"{role} {split.size}\n{split.digest()}\n".encode())
    return digest.hexdigest()

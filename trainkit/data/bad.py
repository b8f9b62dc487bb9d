"""What to do with samples that cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from trainkit.config import Skip
from trainkit.data.splits import Split
from trainkit.errors import DataError

MOST_SHOWN = 10
SKIPPED_SHARE = 0.01
"""Share of a part's samples that `bad_data: skip` leaves out at most; one is always allowed."""


def leave_out(
    split: Split, bad: Mapping[int, str], policy: Literal["fail", "skip"] | Skip, *, role: str
) -> tuple[Split, list[str]]:
    """Refuse a split with bad samples, or leave them out.

    Args:
        split: All samples.
        bad: Index of a sample to where it stands and what is wrong with it.
        policy: What `data.bad_data` says.
        role: `train`, `validation` or `test`, for messages.

    Returns:
        The good samples, and a sentence on those that were left out.

    Raises:
        DataError: If the policy does not allow so many.
    """
    if not bad:
        return split, []
    count = f"{len(bad):,} of {split.size:,} {role} samples cannot be used"
    listed = _listed(bad)
    if policy == "fail":
        cure = "Mend or remove them, or leave them out with `bad_data: skip`."
        raise DataError(f"{count}. {cure}\n{listed}")
    most = policy.skip if isinstance(policy, Skip) else max(1, int(SKIPPED_SHARE * split.size))
    if len(bad) > most:
        cure = f"Mend or remove them, or allow more: `bad_data: {{skip: {len(bad)}}}`."
        raise DataError(f"{count}; `bad_data` allows {most:,}. {cure}\n{listed}")
    good = np.setdiff1d(np.arange(split.size), list(bad))
    return split.subset(good), [f"{count} and were left out:\n{listed}"]


def _listed(bad: Mapping[int, str]) -> str:
    lines = [f"    {bad[row]}" for row in sorted(bad)[:MOST_SHOWN]]
    return "\n".join([*lines, *(["    …"] if len(bad) > MOST_SHOWN else [])])

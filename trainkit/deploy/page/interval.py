"""How sure an accuracy is that was measured on so many samples."""

from __future__ import annotations

import math

Z = 1.959964
"""Standard deviations on each side that hold 95% of a normal distribution."""


def wilson(share: float, samples: int) -> tuple[float, float]:
    """The 95% interval of a share.

    Args:
        share: That was found, in `[0, 1]`.
        samples: On how many independent samples.

    Returns:
        Its ends, both in `[0, 1]`; everything where there are no samples.

    Reference:
        Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    Example:
        >>> [round(end, 4) for end in wilson(0.5, 100)]
        [0.4038, 0.5962]
        >>> [round(end, 4) for end in wilson(1.0, 10)]
        [0.7225, 1.0]
    """
    if samples <= 0:
        return 0.0, 1.0
    middle = share + Z**2 / (2 * samples)
    half = Z * math.sqrt(share * (1 - share) / samples + Z**2 / (4 * samples**2))
    whole = 1 + Z**2 / samples
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)

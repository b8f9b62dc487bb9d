"""Numbers as a person reads them."""

from __future__ import annotations

import math
from typing import Any

from trainkit.models.costs import Amount
from trainkit.training.network_table import BYTES, amount_text

NOTHING = "–"


def size_text(size: int | float | None) -> str:
    """Bytes in three digits, KB of 1,000.

    Example:
        >>> size_text(109_096), size_text(None)
        ('109 KB', '–')
    """
    return NOTHING if size is None else amount_text(Amount(round(size)), BYTES)


def count_text(count: int | float | None) -> str:
    """A whole number with commas.

    Example:
        >>> count_text(431080)
        '431,080'
    """
    return NOTHING if count is None else f"{count:,.0f}"


def share_text(share: float | None) -> str:
    """A share in hundredths, two decimals; never rounded to all or nothing when it is neither.

    Example:
        >>> share_text(0.9944), share_text(0.99996), share_text(1.0)
        ('99.44%', '99.99%', '100%')
    """
    if share is None or not math.isfinite(share):
        return NOTHING
    if share in (0, 1):
        return f"{share:.0%}"
    return f"{min(max(round(100 * share, 2), 0.01), 99.99):.2f}%"


def rate_text(rate: float | None) -> str:
    """A share with as many digits as it has figures.

    Example:
        >>> rate_text(0.3241), rate_text(0.00217), rate_text(0.00003), rate_text(None)
        ('32.4%', '0.22%', '<0.01%', '–')
    """
    if rate is None:
        return NOTHING
    return f"{rate:.1%}" if rate >= 0.1 else f"{rate:.2%}" if rate >= 0.0001 or not rate else "<0.01%"


def time_text(microseconds: float | None) -> str:
    """Microseconds in three digits and the unit that fits.

    Example:
        >>> time_text(38.24), time_text(999.7), time_text(2.5e6)
        ('38.2 µs', '1.00 ms', '2.50 s')
    """
    if microseconds is None or not math.isfinite(microseconds):
        return NOTHING
    for unit, times in (("µs", 1.0), ("ms", 1e3), ("s", 1e6)):
        if abs(microseconds) < 999.5 * times or unit == "s":
            return f"{microseconds / times:#.3g}".rstrip(".") + f" {unit}"
    raise AssertionError  # the last unit takes everything


def number_text(value: Any) -> str:
    """A measured number in four digits; anything else as it is.

    Example:
        >>> number_text(0.017512), number_text(3e-7), number_text(0), number_text("full")
        ('0.01751', '3e-07', '0', 'full')
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def points_text(points: float | None) -> str:
    """Points of accuracy that are lost; a gain has a plus.

    Example:
        >>> points_text(0.05), points_text(-0.02), points_text(0.0)
        ('−0.05', '+0.02', '0.00')
    """
    if points is None:
        return NOTHING
    text = f"{abs(points):.2f}"
    return text if float(text) == 0 else f"{'−' if points > 0 else '+'}{text}"


def shape_text(shape: Any) -> str:
    """A shape; an axis of any length is `any`.

    Example:
        >>> shape_text([None, 28, 28, 1])
        'any × 28 × 28 × 1'
    """
    return " × ".join("any" if length is None else str(length) for length in shape) or "one value"

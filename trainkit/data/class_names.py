"""Names of classes: as a config gives them, or the numbers of their ids."""

from __future__ import annotations

from collections.abc import Sequence

from trainkit.errors import DataError

MOST_UNNAMED = 65_536
"""Classes that are named by their ids: more is no class id, and would only fill the memory with names."""


def numbered_names(largest: int) -> tuple[str, ...]:
    """`"0"` to the largest id, of which at most `MOST_UNNAMED` are named.

    Example:
        >>> numbered_names(2)
        ('0', '1', '2')
    """
    return tuple(str(label) for label in range(min(largest, MOST_UNNAMED - 1) + 1))


def given_names(classes: Sequence[str]) -> tuple[str, ...]:
    """The names that a config gives, in the order of their ids.

    Raises:
        DataError: If there are none, or one stands twice.
    """
    check_once(classes)
    if not classes:
        raise DataError("`classes` must name at least one class. Received: classes=[]. Leave it out for '0', '1', ….")
    return tuple(classes)


def check_once(classes: Sequence[str]) -> None:
    """Refuse a name that stands twice.

    Raises:
        DataError: With the first that does.
    """
    twice = next((name for index, name in enumerate(classes) if name in classes[:index]), None)
    if twice is not None:
        raise DataError(f"`classes` must name each class once. Received: {twice!r} twice.")

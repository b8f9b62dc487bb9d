"""Names of the classes of images."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from trainkit.data.class_names import check_once
from trainkit.errors import DataError, shown

_MOST_LISTED = 8


def class_names(found: Collection[str], given: Sequence[str] | None, *, place: str, cure: str = "") -> tuple[str, ...]:
    """Names of classes in the order of their ids: as given, else those that were found, sorted.

    Args:
        found: The names that the training samples have.
        given: What the config says, or None.
        place: Where they were found, for messages.
        cure: What to do where there are fewer than two, for messages.

    Returns:
        At least two names, each once.

    Raises:
        DataError: If there are fewer than two, or a name was found that is not given.

    Example:
        >>> class_names({"dog", "cat"}, None, place="pets")
        ('cat', 'dog')
    """
    if given is not None:
        check_once(given)
        unknown = sorted(set(found) - set(given))
        if unknown:
            raise DataError(f"`classes` must name every class of {place}. Received: no {listed(unknown)}.")
    names = sorted(found) if given is None else list(given)
    if len(names) < 2:
        raise DataError(f"{place} must hold two classes or more. Received: {listed(names) or 'none'}.{cure}")
    return tuple(names)


def listed(names: Sequence[str]) -> str:
    """The first names for a message, and how many more there are.

    Example:
        >>> listed(["cat", "dog"])
        "'cat', 'dog'"
    """
    rest = len(names) - _MOST_LISTED
    return ", ".join(map(shown, names[:_MOST_LISTED])) + (f" and {rest:,} more" if rest > 0 else "")

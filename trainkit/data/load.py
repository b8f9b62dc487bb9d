"""From a source to the splits that are trained on."""

from __future__ import annotations

from collections.abc import Callable

from trainkit.data.checks import check_splits
from trainkit.data.splits import Splits
from trainkit.data.validation import split_validation


def load_data(
    make_splits: Callable[[], Splits], *, fraction: float | None = None, last: int | None = None, seed: int
) -> Splits:
    """Call a source, check what it returned, and take out the validation samples.

    Args:
        make_splits: A source with its arguments filled in.
        fraction: Share of the training samples that validate; 0 or None for none.
        last: Or how many of the last training samples; 0 or None for none.
        seed: Of the choice of validation samples.

    Returns:
        Splits that keep the contract of a source.

    Raises:
        DataError: If the data cannot be used as it is.

    Example:
        >>> from functools import partial
        >>> from trainkit.data.sources import SOURCES
        >>> splits = load_data(partial(SOURCES.get("Sample")), fraction=0.1, seed=7)
        >>> splits.train.size, splits.validation.size, splits.test.size
        (9000, 1000, 2000)
    """
    splits = make_splits()
    check_splits(splits)
    return split_validation(splits, fraction=fraction, last=last, seed=seed)

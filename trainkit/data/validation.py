"""The validation samples, taken out of the training split."""

from __future__ import annotations

import numpy as np

from trainkit.data.splits import Split, Splits
from trainkit.errors import DataError


def split_validation(splits: Splits, *, fraction: float | None = None, last: int | None = None, seed: int) -> Splits:
    """Take validation samples out of the training split.

    Both parts keep the order of the samples. Validation samples that the source itself brings are kept, and must not
    be asked for a second time.

    Args:
        splits: What a source returned.
        fraction: Share of the training samples, in `[0, 1)`, chosen by `seed` with each class's share kept; 0 or
            None for none.
        last: Number of samples to take from the end of the training split; 0 or None for none.
        seed: Of the choice.

    Returns:
        The splits, with validation if `fraction` or `last` asks for it.

    Raises:
        DataError: If `fraction` or `last` is out of range, both are given, nothing would validate, a class would be
            left without training samples, or the source brings validation samples of its own.
    """
    _check_arguments(fraction, last)
    if not fraction and not last:
        return splits
    asked = f"validation_split={fraction!r}" if fraction else f"validation_split={{last: {last}}}"
    if splits.validation is not None:
        raise DataError(
            f"`validation_split` must be 0 where the source brings validation samples of its own, here "
            f"{splits.validation.size:,}. Received: {asked}."
        )
    size = splits.train.size
    count = round(fraction * size) if fraction else int(last or 0)
    if not 0 < count < size:
        raise DataError(
            f"`validation_split` must take at least 1 and leave at least 1 of the {size:,} training samples. Received: "
            f"{asked}, which takes {count:,}."
        )
    if fraction:
        chosen = choose_stratified(_strata(splits.train), count=count, seed=seed)
    else:
        chosen = np.arange(size - count, size)
    rest = np.setdiff1d(np.arange(size), chosen)
    _check_classes_left(splits.train, rest, asked)
    return Splits(splits.train.subset(rest), splits.train.subset(chosen), splits.test)


def choose_stratified(labels: np.ndarray, *, count: int, seed: int) -> np.ndarray:
    """Choose samples so that each class keeps its share.

    The shares are rounded by largest remainder, so that they add up to `count`; a class is never chosen whole. The
    choice follows the raw stream of PCG64, which NumPy promises never to change.

    Args:
        labels: Class ids, shape `(size,)`.
        count: Samples to choose, in `[1, size)`.
        seed: Of the choice.

    Returns:
        Indices of the chosen samples, ascending, shape `(count,)`.

    Raises:
        DataError: If so many cannot be chosen without taking a class whole.

    Example:
        >>> labels = np.array([0] * 6 + [1] * 3)
        >>> np.bincount(labels[choose_stratified(labels, count=3, seed=7)])
        array([2, 1])
    """
    ids, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    quotas = _largest_remainder(sizes, count)
    if quotas.sum() < count:
        raise DataError(
            f"{count:,} of {len(labels):,} samples cannot be chosen with each class's share kept and a sample of each "
            f"class left: the {len(ids):,} classes have {sizes.min():,} to {sizes.max():,} samples. Choose a smaller "
            "share, or leave out the rarest classes."
        )
    keys = np.random.PCG64(seed).random_raw(len(labels))
    order = np.lexsort((keys, classes))  # class by class, and within a class by chance
    ranks = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[ranks < np.repeat(quotas, sizes)])


def _largest_remainder(sizes: np.ndarray, count: int) -> np.ndarray:
    """`count` divided in proportion to `sizes`, in whole numbers; the rest goes to classes that keep a sample."""
    quotas, remainders = np.divmod(sizes * count, sizes.sum())
    receivers = np.flatnonzero(quotas + 1 < sizes)
    first = receivers[np.argsort(-remainders[receivers], kind="stable")]
    quotas[first[: count - quotas.sum()]] += 1
    return quotas


def _strata(split: Split) -> np.ndarray:
    return np.zeros(split.size, np.int32) if split.facts.classes is None else split.labels()


def _check_arguments(fraction: float | None, last: int | None) -> None:
    if fraction and last:
        raise DataError(
            f"`validation_split` must be a share or the last samples, not both. Received: "
            f"{fraction!r} and last={last!r}."
        )
    if fraction is not None and not 0 <= fraction < 1:
        raise DataError(f"`validation_split` must be in [0, 1). Received: validation_split={fraction!r}.")
    if last is not None and last < 0:
        raise DataError(f"`last` must be 0 or more. Received: last={last!r}.")


def _check_classes_left(train: Split, rest: np.ndarray, asked: str) -> None:
    """Refuse a split that takes all samples of a class."""
    labels, classes = train.labels(), train.facts.classes
    if classes is None:
        return
    lost = np.setdiff1d(labels, labels[rest])
    if lost.size:
        count = int((labels == lost[0]).sum())
        raise DataError(
            f"`validation_split` must leave training samples of each class. Received: {asked}, which takes all "
            f"{count:,} of class {classes[lost[0]]!r} and leaves {rest.size:,} of other classes. Take a share, which "
            "is chosen class by class."
        )

"""Validation and test samples, taken out of the training split."""

from __future__ import annotations

import numpy as np

from trainkit.config import Last, SettingError
from trainkit.data.splits import Split
from trainkit.errors import DataError


def split_off(train: Split, share: float | Last, *, key: str, seed: int) -> tuple[Split, Split]:
    """Take samples out of the training split; both parts keep their order.

    Args:
        train: The training split.
        share: Share of its samples, in `(0, 1)`, chosen by `seed` with each class's share kept; or its last samples.
        key: The setting of `data:` that asks for it, for messages.
        seed: Of the choice.

    Returns:
        What is left, and what was taken.

    Raises:
        SettingError: If nothing would be taken or left, or a class would be left without training samples.
    """
    size = train.size
    count = share.last if isinstance(share, Last) else round(share * size)
    asked = f"{key}={{last: {share.last}}}" if isinstance(share, Last) else f"{key}={share!r}"
    if not 0 < count < size:
        message = f"must take at least 1 and leave at least 1 of the {size:,} training samples."
        raise SettingError(("data", key), f"{message} Received: {asked}, which takes {count:,}.")
    if isinstance(share, Last):
        chosen = np.arange(size - count, size)
    else:
        try:
            chosen = choose_stratified(_strata(train), count=count, seed=seed)
        except DataError as error:
            raise SettingError(("data", key), str(error)) from error
    rest = np.setdiff1d(np.arange(size), chosen)
    _check_classes_left(train, rest, asked, key)
    return train.subset(rest), train.subset(chosen)


def absent_classes(train: Split, part: Split) -> list[str]:
    """The classes that a part has no sample of, though the training split has."""
    absent: list[str] = []
    for target, field in train.facts.targets.items():
        if field.classes is not None:
            missing = np.setdiff1d(train.labels(target), part.labels(target))
            absent += [field.classes[index] for index in missing]
    return absent


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
    """What is stratified by: the first target that is a class."""
    for name, field in split.facts.targets.items():
        if field.classes is not None:
            return split.labels(name)
    return np.zeros(split.size, np.int32)


def _check_classes_left(train: Split, rest: np.ndarray, asked: str, key: str) -> None:
    """Refuse a split that takes all samples of a class."""
    for target, field in train.facts.targets.items():
        if field.classes is None:
            continue
        labels = train.labels(target)
        lost = np.setdiff1d(labels, labels[rest])
        if lost.size:
            count = int((labels == lost[0]).sum())
            raise SettingError(
                ("data", key),
                f"must leave training samples of each class. Received: {asked}, which takes all {count:,} of class "
                f"{field.classes[lost[0]]!r} and leaves {rest.size:,} of other classes. Take a share, which is chosen "
                "class by class.",
            )

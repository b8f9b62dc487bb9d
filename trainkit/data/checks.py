"""What every source promises of the splits it returns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trainkit.data.splits import Facts, Split, Splits
from trainkit.errors import DataError


def check_splits(splits: Splits) -> None:
    """Check the sizes, facts, labels and inputs of what a source returned.

    Args:
        splits: The splits, validation and test optional.

    Raises:
        DataError: At the first split that is empty, differs from the training split in its facts, has a label
            without a class, or an input that is not finite.
    """
    for role, split in vars(splits).items():
        if split is not None:
            _check_split(role, split, splits.train.facts)


def check_labels(labels: np.ndarray, *, classes: int, place: Callable[[int], str]) -> None:
    """Check that each label is the id of a class.

    Args:
        labels: Whole numbers, shape `(size,)`.
        classes: Number of classes.
        place: From the index of a label to where it stands, for the message.

    Raises:
        DataError: At the first label out of range.
    """
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        index = int(wrong.argmax())
        raise DataError(
            f"{place(index)}: a label must be in [0, {classes - 1}], the id of one of {classes:,} classes. Received: "
            f"{int(labels[index])!r}. Mend the label, or name every class in `classes`."
        )


def _check_split(role: str, split: Split, facts: Facts) -> None:
    labels = split.labels()
    if split.size < 1 or len(labels) != split.size:
        raise DataError(
            f"the {role} split must hold samples, each with a label. Received: {split.size} samples and "
            f"{len(labels)} labels."
        )
    if split.facts != facts:
        raise DataError(
            f"the {role} split must have the input shape and the classes of the training split, "
            f"{facts.input_shape!r} and {facts.classes!r}. Received: {split.facts.input_shape!r} and "
            f"{split.facts.classes!r}."
        )
    if facts.classes is not None:
        check_labels(labels, classes=len(facts.classes), place=split.original)
    if split.arrays is not None:
        _check_finite(split.arrays["input"], split.original)


def _check_finite(inputs: np.ndarray, place: Callable[[int], str]) -> None:
    if inputs.dtype.kind != "f":
        return
    finite = np.isfinite(inputs).reshape(len(inputs), -1)
    if not finite.all():
        row, value = divmod(int(finite.argmin()), finite.shape[1])
        raise DataError(
            f"{place(row)}: an input must be a finite number. Received: {float(inputs[row].flat[value])!r}. "
            "Mend or leave out the sample."
        )

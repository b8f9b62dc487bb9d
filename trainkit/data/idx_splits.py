"""Pairs of IDX files, images and labels -> splits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainkit.data.class_names import given_names, numbered_names
from trainkit.data.columns import ArrayColumn
from trainkit.data.fields import Field
from trainkit.data.idx import read_idx
from trainkit.data.records import Records, Source, Splits
from trainkit.errors import DataError


class IdxPair(NamedTuple):
    """The files of one split."""

    images: Path
    labels: Path


def read_splits(train: IdxPair, test: IdxPair | None, *, classes: Sequence[str] | None = None) -> Source:
    """Read a training and a test split.

    Images `(samples, height, width)` get a channel axis; `(samples, height, width, channels)` and
    `(samples, features)` stay as they are.

    Args:
        train: The training files.
        test: The test files, if there are any.
        classes: Names of the classes in the order of their ids; by default `"0"` to the largest training label.

    Returns:
        The splits, without validation.

    Raises:
        DataError: If a file cannot be read, images and labels do not match, or a label has no class.
    """
    inputs, labels = _read_pair(train)
    names = _default_classes(labels, train.labels) if classes is None else given_names(classes)
    first = _make_split(train, inputs, labels, names)
    return Splits(first, test=_make_split(test, *_read_pair(test), names) if test else None)


def label_records(
    inputs: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], *, images: str, label_file: str
) -> Records:
    """Records of images and their class ids, in the columns `image` and `label`.

    Args:
        inputs: Shape `(samples, …)`.
        labels: Class ids, shape `(samples,)`; one out of range makes its sample a bad one.
        classes: Names of the classes in the order of their ids.
        images: Where the images come from, for messages.
        label_file: Where the labels come from.
    """
    wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    message = "a label must be in [0, {}], the id of one of {:,} classes. Received: {!r}."
    bad = {
        int(row): f"{label_file}, row {row}: {message.format(len(classes) - 1, len(classes), int(labels[row]))}"
        for row in wrong
    }
    columns = {
        "image": ArrayColumn(inputs, origin=images),
        "label": ArrayColumn(labels.astype(np.int32), Field((), "int32", classes), origin=label_file),
    }
    return Records(columns, target="label", bad=bad)


def _make_split(pair: IdxPair, inputs: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> Records:
    return label_records(inputs, labels, classes, images=pair.images.name, label_file=pair.labels.name)


def _read_pair(pair: IdxPair) -> tuple[np.ndarray, np.ndarray]:
    inputs, labels = read_idx(pair.images), read_idx(pair.labels)
    if not 2 <= inputs.ndim <= 4:
        raise DataError(
            f"{pair.images} must hold images, in 2 to 4 dimensions with the samples first. Received: the shape "
            f"{inputs.shape!r}. Check that images and labels are not exchanged."
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{pair.labels} must hold whole numbers in 1 dimension, one label for each image. Received: the shape "
            f"{labels.shape!r} of {labels.dtype.name}. Check that images and labels are not exchanged."
        )
    if len(inputs) != len(labels):
        raise DataError(
            f"{pair.labels} must hold one label for each of the {len(inputs):,} images of {pair.images}. Received: "
            f"{len(labels):,} labels. Check that the two files belong together."
        )
    return inputs[..., np.newaxis] if inputs.ndim == 3 else inputs, labels.astype(np.int32)


def _default_classes(labels: np.ndarray, filepath: Path) -> tuple[str, ...]:
    if not len(labels):
        raise DataError(f"{filepath} must hold at least one label. Received: none.")
    return numbered_names(int(labels.max()))

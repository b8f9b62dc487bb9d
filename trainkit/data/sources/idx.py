"""Images and labels in IDX files of any name."""

from __future__ import annotations

from pathlib import Path

from trainkit.data.idx_splits import IdxPair, read_splits
from trainkit.data.records import Source
from trainkit.errors import DataError


def idx(
    *,
    images: Path,
    labels: Path,
    test_images: Path | None = None,
    test_labels: Path | None = None,
    classes: list[str] | None = None,
) -> Source:
    """Images and labels from IDX files, gzipped or not.

    Images `(samples, height, width)` get a channel axis; `(samples, height, width, channels)` and
    `(samples, features)` stay as they are.

    Args:
        images: The training images.
        labels: The training labels: whole numbers from 0, one for each image.
        test_images: The test images.
        test_labels: The test labels.
        classes: Names of the classes in the order of their labels; by default `"0"` to the largest training label.

    Returns:
        The training split, and the test split if its files are given.

    Raises:
        DataError: If a file cannot be read, images and labels do not match, or a label has no class.
    """
    if test_images is None and test_labels is None:
        return read_splits(IdxPair(images, labels), None, classes=classes)
    if test_images is None or test_labels is None:
        raise DataError(
            "`test_images` and `test_labels` must be given together. Received: "
            f"test_images={_shown(test_images)}, test_labels={_shown(test_labels)}."
        )
    return read_splits(IdxPair(images, labels), IdxPair(test_images, test_labels), classes=classes)


def _shown(filepath: Path | None) -> str:
    return repr(None if filepath is None else str(filepath))

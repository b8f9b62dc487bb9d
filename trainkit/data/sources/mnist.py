"""MNIST, the handwritten digits."""

from __future__ import annotations

from pathlib import Path

from trainkit.data.records import Source
from trainkit.data.sources.mnist_files import DIGITS, read_or_download


def mnist(*, path: Path | None = None) -> Source:
    """60,000 training and 10,000 test images of handwritten digits.

    Args:
        path: Folder with the four IDX files, gzipped or not. By default `mnist` in the folder that the environment
            variable TRAINKIT_DATA names; without that, Keras' download.

    Returns:
        Images `(28, 28, 1)` of 0 to 255 and labels 0 to 9.

    Raises:
        DataError: If a file is missing or damaged, or the download fails.
    """
    return read_or_download("mnist", path=path, classes=DIGITS)

"""The handwritten digits that come with TrainKit."""

from __future__ import annotations

from pathlib import Path

from trainkit.data.records import Source
from trainkit.data.sources.mnist_files import DIGITS, read_folder

FOLDER = Path(__file__).parents[1] / "sample"


def sample() -> Source:
    """10,000 training and 2,000 test digits of MNIST, shipped with the package: no download.

    Returns:
        Images `(28, 28, 1)` of 0 to 255 and labels 0 to 9.
    """
    return read_folder(FOLDER, classes=DIGITS)

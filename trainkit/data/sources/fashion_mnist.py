"""Fashion-MNIST, the pictures of clothes."""

from __future__ import annotations

from pathlib import Path

from trainkit.data.records import Source
from trainkit.data.sources.mnist_files import read_or_download

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def fashion_mnist(*, path: Path | None = None) -> Source:
    """60,000 training and 10,000 test images of clothes, in ten classes.

    Args:
        path: Folder with the four IDX files, gzipped or not. By default `fashion_mnist` in the folder that the
            environment variable TRAINKIT_DATA names; without that, Keras' download.

    Returns:
        Images `(28, 28, 1)` of 0 to 255 and labels 0 to 9.

    Raises:
        DataError: If a file is missing or damaged, or the download fails.
    """
    return read_or_download("fashion_mnist", path=path, classes=CLASSES)

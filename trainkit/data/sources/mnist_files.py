"""What the sources of the MNIST family share: four files of fixed names, or Keras' download."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np

from trainkit.data.idx_splits import IdxPair, label_records, read_splits
from trainkit.data.records import Records, Source, Splits
from trainkit.errors import DataError

VARIABLE = "TRAINKIT_DATA"
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
DIGITS = tuple("0123456789")


def read_or_download(name: str, *, path: Path | None, classes: tuple[str, ...]) -> Source:
    """Read a data set from `path`, else from the folder that TRAINKIT_DATA names, else through Keras.

    Args:
        name: What Keras calls the data set, and the folder in TRAINKIT_DATA.
        path: Folder with the four files, or None.
        classes: Names of the classes in the order of their ids.

    Returns:
        The training and the test split.

    Raises:
        DataError: If a file is missing or damaged, or the download fails.
    """
    if path is not None:
        return read_folder(path, classes=classes)
    shared = os.environ.get(VARIABLE)
    if shared and (Path(shared) / name).is_dir():
        return read_folder(Path(shared) / name, classes=classes)
    return _download(name, classes)


def read_folder(folder: Path, *, classes: tuple[str, ...]) -> Source:
    """Read the four files of a folder, each with or without `.gz`.

    Raises:
        DataError: If one is missing or damaged.
    """
    found = [_find(folder, name) for name in FILES]
    missing = [name for name, filepath in zip(FILES, found, strict=True) if filepath is None]
    if missing:
        came = f"no {', no '.join(missing)}" if folder.is_dir() else "no such folder"
        raise DataError(
            f"{folder} must be a folder with {', '.join(FILES)}, each with or without .gz. Received: {came}."
        )
    train_images, train_labels, test_images, test_labels = [filepath for filepath in found if filepath]
    return read_splits(IdxPair(train_images, train_labels), IdxPair(test_images, test_labels), classes=classes)


def _find(folder: Path, name: str) -> Path | None:
    return next((filepath for filepath in (folder / f"{name}.gz", folder / name) if filepath.is_file()), None)


def _download(name: str, classes: tuple[str, ...]) -> Source:
    from trainkit.framework import tf

    try:
        with redirect_stdout(sys.stderr):  # Keras' progress bar does not belong to the answer of a command
            train, test = getattr(tf.keras.datasets, name).load_data()
    except Exception as error:  # Keras raises bare Exceptions
        raise DataError(
            f"Keras could not download {name}. Received: {error}. Get {', '.join(f'{file}.gz' for file in FILES)} and "
            f"name their folder in `path`, or name in {VARIABLE} the folder that holds them in {name}/."
        ) from error
    return Splits(
        _make_split(train, classes, f"{name}, training"),
        test=_make_split(test, classes, f"{name}, test"),
    )


def _make_split(arrays: tuple[np.ndarray, np.ndarray], classes: tuple[str, ...], origin: str) -> Records:
    images, labels = arrays
    return label_records(images[..., np.newaxis], labels, classes, images=origin, label_file=f"{origin} labels")

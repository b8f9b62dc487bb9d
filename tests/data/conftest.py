"""What the tests of data share: IDX files and small splits."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from trainkit.data import ArraySplit, Facts

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def idx_bytes(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, CODES[array.dtype.name], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def write_idx(tmp_path):
    """Write an array as an IDX file, gzipped where the name ends in .gz."""

    def write(name, array):
        filepath = tmp_path / name
        filepath.parent.mkdir(parents=True, exist_ok=True)
        content = idx_bytes(np.asarray(array))
        filepath.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return filepath

    return write


@pytest.fixture
def write_mnist(write_idx, tmp_path):
    """Write a folder like MNIST's: 40 training and 10 test images, the classes in turn."""

    def write(folder="mnist", suffix=".gz"):
        for prefix, size in (("train", 40), ("t10k", 10)):
            images = np.arange(size * 28 * 28).reshape(size, 28, 28) % 251
            write_idx(f"{folder}/{prefix}-images-idx3-ubyte{suffix}", images.astype(np.uint8))
            write_idx(f"{folder}/{prefix}-labels-idx1-ubyte{suffix}", (np.arange(size) % 10).astype(np.uint8))
        return tmp_path / folder

    return write


@pytest.fixture
def make_split():
    """A split of 2×2 images with the given labels; all values of image `i` are `i`."""

    def make(labels, *, classes=None, dtype=np.uint8):
        labels = np.asarray(labels)
        inputs = np.broadcast_to(np.arange(len(labels)).reshape(-1, 1, 1, 1), (len(labels), 2, 2, 1)).astype(dtype)
        names = tuple(str(label) for label in range(classes or int(labels.max()) + 1))
        return ArraySplit(inputs, labels, Facts((2, 2, 1), names), "images.gz")

    return make


@pytest.fixture
def full_data():
    """The folder of the full data sets."""
    if not os.environ.get("TRAINKIT_DATA"):
        pytest.skip("set TRAINKIT_DATA to the folder of the full data sets")
    return Path(os.environ["TRAINKIT_DATA"])

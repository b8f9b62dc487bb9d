"""What the tests of data share: IDX files, small configs and small splits."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.data import ArrayColumn, Field, Split

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

    def make(labels, *, classes=None, dtype=np.uint8, name="digit", weights=None):
        labels = np.asarray(labels, np.int32)
        images = np.broadcast_to(np.arange(len(labels)).reshape(-1, 1, 1, 1), (len(labels), 2, 2, 1)).astype(dtype)
        names = tuple(str(label) for label in range(classes or int(labels.max()) + 1))
        target = ArrayColumn(labels, Field((), "int32", names), origin="labels.gz")
        return Split({"input": ArrayColumn(images, origin="images.gz")}, {name: target}, weights)

    return make


@pytest.fixture
def make_config():
    """A config with one dense output `digit`; `data__batch_size=3` sets a key, `...` removes it."""

    def make(**changes):
        config = {
            "version": 1,
            "name": "small",
            "data": {"source": "Sample"},
            "model": {"input": [2, 2, 1], "layers": [{"Dense": {"units": 2}, "name": "digit"}]},
            "training": {"loss": "MeanSquaredError"},
        }
        for key, value in changes.items():
            *above, last = key.split("__")
            holder = config
            for part in above:
                holder = holder.setdefault(part, {})
            if value is ...:
                del holder[last]
            else:
                holder[last] = value
        return load_config(config)

    return make


@pytest.fixture
def full_data():
    """The folder of the full data sets."""
    if not os.environ.get("TRAINKIT_DATA"):
        pytest.skip("set TRAINKIT_DATA to the folder of the full data sets")
    return Path(os.environ["TRAINKIT_DATA"])

"""Tests of `trainkit.data.sources.npy`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.sources.npy import npy
from trainkit.errors import DataError

IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
LABELS = np.array([0, 2, 1, 0])


@pytest.fixture
def read(tmp_path):
    """Write arrays as .npy files and call the source on them."""

    def call(inputs=IMAGES, targets=LABELS, classes=None, **test):
        files = {}
        for name, array in {"inputs": inputs, "targets": targets, **test}.items():
            files[name] = tmp_path / f"{name}.npy"
            np.save(files[name], array)
        return npy(**files, classes=classes)

    return call


def test_two_files_are_input_and_target(read):
    source = read()
    columns = source.train.columns
    assert list(source.present) == ["train"]
    assert list(columns) == ["input", "target"]
    assert source.train.target == "target"
    assert (columns["input"].field.shape, columns["input"].array.dtype) == ((3, 2), np.uint8)
    assert (columns["target"].field.dtype, columns["target"].field.classes) == ("int32", ("0", "1", "2"))
    assert columns["target"].array.tolist() == [0, 2, 1, 0]
    assert [columns[name].original(3) for name in columns] == ["inputs.npy, row 3", "targets.npy, row 3"]


def test_test_files_make_a_test_part(read):
    source = read(test_inputs=IMAGES[:2], test_targets=np.array([1, 9]))
    assert source.test.size == 2
    assert source.test.columns["target"].field.classes == ("0", "1", "2")
    assert source.test.bad == {
        1: "test_targets.npy, row 1: a label must be in [0, 2], the id of one of 3 classes. Received: 9."
    }


def test_classes_can_be_named(read):
    assert read(classes=["cat", "dog", "fox"]).train.columns["target"].field.classes == ("cat", "dog", "fox")


def test_floats_are_numbers_to_learn(read):
    column = read(targets=np.array([0.5, 1, 2, 3])).train.columns["target"]
    assert (column.field.dtype, column.field.classes) == ("float32", None)
    assert column.array.tolist() == [0.5, 1, 2, 3]


def test_inputs_and_targets_must_be_as_many(read):
    with pytest.raises(DataError, match=r"of one length.*Received: inputs\.npy: \(4, 3, 2\); targets\.npy: \(3,\)\."):
        read(targets=LABELS[:3])


@pytest.mark.parametrize("given", ["test_inputs", "test_targets"])
def test_half_a_test_pair_is_refused(read, given):
    with pytest.raises(DataError, match=rf"must be given together\. Received: .*{given}='.*/{given}\.npy'"):
        read(**{given: LABELS})


@pytest.mark.parametrize(
    "targets, came",
    [
        (np.array([1j] * 4), r"must hold numbers or texts\. Received: the dtype complex128"),
        (np.array([[1], [2, 3]], object), r"must hold numbers or texts\. Received: Python objects"),
        (np.zeros((0,)), r"must hold at least one sample.*Received: the shape \(0,\)"),
    ],
    ids=["complex", "objects", "no samples"],
)
def test_array_that_holds_no_samples_is_refused(read, targets, came):
    with pytest.raises(DataError, match=rf"targets\.npy {came}"):
        read(targets=targets)


def npy_bytes(path):
    np.save(path, IMAGES)
    return path.read_bytes()


@pytest.mark.parametrize(
    "change, came",
    [
        (lambda content: b"", r"must be an \.npy file.*Received: an empty file\."),
        (lambda content: b"PK\x03\x04", r"must be an \.npy file.*Received: a file that begins with b'PK"),
        (lambda content: content[:-5], r"must hold an array\. Received: a damaged one"),
        (lambda content: content[:50], r"must hold an array\. Received: a damaged one"),
        (lambda content: content + b"\0", r"must hold one array\. Received: more behind it"),
    ],
    ids=["empty", "npz", "truncated", "header truncated", "longer"],
)
def test_file_that_is_no_npy_is_refused(tmp_path, change, came):
    filepath = tmp_path / "data.npy"
    filepath.write_bytes(change(npy_bytes(filepath)))
    with pytest.raises(DataError, match=rf"data\.npy {came}"):
        npy(inputs=filepath, targets=filepath)


@pytest.mark.parametrize("name, came", [("nothing.npy", "no such file"), (".", "a directory")], ids=["no", "directory"])
def test_path_that_is_no_file_is_refused(tmp_path, name, came):
    with pytest.raises(DataError, match=rf"must be an \.npy file.*Received: {came}\. Check the path\."):
        npy(inputs=tmp_path / name, targets=tmp_path / name)

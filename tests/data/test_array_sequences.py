"""Tests of `trainkit.data.array_sequences`, by the source that uses it."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.sources.npz import npz
from trainkit.errors import DataError

X = np.arange(12, dtype=np.uint8).reshape(6, 2)
LENGTHS = np.array([2, 1, 3])
Y = np.array([0, 1, 0])


@pytest.fixture
def read(tmp_path):
    """Write arrays as .npz files and call the source on them."""

    def call(test=None, **arrays):
        np.savez(tmp_path / "train.npz", **arrays)
        if test is None:
            return npz(path=tmp_path / "train.npz")
        np.savez(tmp_path / "test.npz", **test)
        return npz(path=tmp_path / "train.npz", test=tmp_path / "test.npz")

    return call


def test_array_with_lengths_beside_it_holds_sequences(read):
    train = read(x=X, x_lengths=LENGTHS, y=Y).train
    assert list(train.columns) == ["x", "y"]
    assert (train.size, train.target) == (3, "y")
    assert train.columns["x"].padded(np.array([1, 0])).tolist() == [[[4, 5], [0, 0]], [[0, 1], [2, 3]]]
    assert train.columns["x"].original(2) == "train.npz, x, row 2"


def test_arrays_of_keras_files_have_lengths_too(read):
    source = read(x_train=X, x_train_lengths=LENGTHS, y_train=Y, x_test=X[:3], x_test_lengths=[3], y_test=Y[:1])
    assert (source.train.size, source.test.size) == (3, 1)
    assert source.test.columns["x"].lengths.tolist() == [3]


def test_lengths_alone_are_a_column(read):
    assert list(read(x=X, y=np.arange(6), name_lengths=np.arange(6)).train.columns) == ["x", "y", "name_lengths"]


@pytest.mark.parametrize(
    ("lengths", "told"),
    [
        (
            [2, 1, 2],
            r"train\.npz, x_lengths must be, in sum, the steps of train\.npz, x, .* Received: 5 for 6 steps\. "
            r"Where that array has a row a sample, give the lengths another name than one that ends with '_lengths'\.",
        ),
        ([2.0, 1.0, 3.0], r"must hold whole numbers, one a sample: .* Received: the shape \(3,\) of float32\."),
        ([[2, 1, 3]], r"must hold whole numbers, one a sample: .* Received: the shape \(1, 3\) of int64\."),
        ([7, -1], r"must hold numbers of steps, 0 or more\. Received: -1\."),
    ],
    ids=["sum", "floats", "shape", "negative"],
)
def test_lengths_that_count_no_steps_are_refused(read, lengths, told):
    with pytest.raises(DataError, match=told):
        read(x=X, x_lengths=np.array(lengths), y=Y)


def test_sum_of_small_integers_does_not_overflow(read):
    train = read(x=np.zeros((400, 1)), x_lengths=np.array([200, 200], np.uint8), y=Y[:2]).train
    assert train.columns["x"].lengths.tolist() == [200, 200]


def test_other_number_of_sequences_than_labels_is_refused(read):
    with pytest.raises(DataError, match=r"x: 3 sequences; train\.npz, y: \(2,\)"):
        read(x=X, x_lengths=LENGTHS, y=Y[:2])


def test_test_samples_must_be_sequences_where_training_samples_are(read):
    told = r"x must hold sequences of numbers, with their lengths, as train\.npz, x does\. Received: numbers\."
    with pytest.raises(DataError, match=told):
        read(x=X, x_lengths=LENGTHS, y=Y, test={"x": X[:3], "y": Y})


def test_python_objects_are_refused_with_the_lines_that_write_sequences(tmp_path):
    samples, labels, filename = [[1, 2], [3]], [0, 1], tmp_path / "data.npz"
    np.savez(filename, x=np.array(samples, object), y=labels)
    with pytest.raises(DataError, match="Received: Python objects, which could run code") as caught:
        npz(path=filename)
    scope = {"np": np, "samples": samples, "labels": labels, "filename": filename}
    for line in str(caught.value).rsplit("with their lengths: ")[1].rstrip(".").split(", then "):
        exec(line.strip("`"), scope)
    assert npz(path=filename).train.columns["x"].padded(np.array([0, 1])).tolist() == [[1, 2], [3, 0]]

"""Tests of `trainkit.data.sources.idx`, and so of `trainkit.data.idx_splits`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data import SOURCES
from trainkit.errors import DataError

idx = SOURCES.get("Idx")
IMAGES = np.zeros((4, 5, 6), np.uint8)
LABELS = np.array([0, 2, 1, 0], np.uint8)


@pytest.fixture
def read(write_idx):
    """Write arrays as IDX files and call the source on them."""

    def call(images=IMAGES, labels=LABELS, classes=None, **test):
        arrays = {"images": images, "labels": labels, **test}
        return idx(**{name: write_idx(f"{name}.gz", array) for name, array in arrays.items()}, classes=classes)

    return call


@pytest.mark.parametrize(
    "shape, input_shape",
    [((4, 5, 6), (5, 6, 1)), ((4, 5, 6, 3), (5, 6, 3)), ((4, 7), (7,))],
    ids=["grey images", "colour images", "features"],
)
def test_only_grey_images_get_a_channel_axis(read, shape, input_shape):
    values = np.arange(np.prod(shape)).reshape(shape) % 256
    train = read(values.astype(np.uint8)).train
    assert train.columns["image"].field.shape == input_shape
    assert train.columns["image"].array.ravel().tolist() == values.ravel().tolist()


def test_classes_are_numbered_up_to_the_largest_training_label(read):
    assert read().train.columns["label"].field.classes == ("0", "1", "2")


def test_class_without_samples_is_allowed(read):
    assert read(labels=np.array([1, 3, 3, 1], np.uint8)).train.columns["label"].field.classes == ("0", "1", "2", "3")


def test_classes_can_be_named(read):
    assert read(classes=["cat", "dog", "fox", "owl"]).train.columns["label"].field.classes == (
        "cat",
        "dog",
        "fox",
        "owl",
    )


def test_test_files_make_a_test_split(read):
    splits = read(test_images=IMAGES[:2], test_labels=np.array([2, 0], np.uint8))
    assert splits.test.columns["label"].array.tolist() == [2, 0]
    assert splits.test.columns["label"].field == splits.train.columns["label"].field
    assert splits.test.columns["image"].original(1) == "test_images.gz, image 1"
    assert splits.test.columns["label"].original(1) == "test_labels.gz, row 1"


def test_without_test_files_there_is_no_test_split(read):
    assert read().test is None


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
def test_labels_of_any_whole_dtype_are_read(read, dtype):
    assert read(labels=LABELS.astype(dtype)).train.columns["label"].array.tolist() == [0, 2, 1, 0]


def test_label_is_what_is_learned(read):
    assert (list(read().train.columns), read().train.target) == (["image", "label"], "label")


def test_label_of_no_named_class_makes_its_sample_bad(read):
    assert read(classes=["cat", "dog"]).train.bad == {
        1: "labels.gz, row 1: a label must be in [0, 1], the id of one of 2 classes. Received: 2."
    }


def test_negative_labels_make_their_samples_bad(read):
    bad = read(labels=np.array([0, 1, -1, -2], np.int8)).train.bad
    assert [(row, reason.split("Received: ")[1]) for row, reason in bad.items()] == [(2, "-1."), (3, "-2.")]


def test_test_label_never_seen_in_training_makes_its_sample_bad(read):
    splits = read(test_images=IMAGES[:2], test_labels=np.array([2, 3], np.uint8))
    assert splits.train.bad == {}
    assert splits.test.bad == {
        1: "test_labels.gz, row 1: a label must be in [0, 2], the id of one of 3 classes. Received: 3."
    }


def test_label_that_can_be_no_class_makes_no_names(read):
    train = read(labels=np.array([0, 1, 2, 2_000_000_000], np.int32)).train
    assert len(train.columns["label"].field.classes) == 65_536
    ((row, reason),) = train.bad.items()
    assert (row, reason.split(": ")[1:]) == (
        3,
        ["a label must be in [0, 65535], the id of one of 65,536 classes. Received", "2000000000."],
    )


def test_float_labels_are_refused(read):
    with pytest.raises(DataError, match=r"labels\.gz must hold whole numbers.*Received: .* of float32"):
        read(labels=LABELS.astype(np.float32))


def test_labels_in_two_dimensions_are_refused(read):
    with pytest.raises(DataError, match=r"labels\.gz must hold .* in 1 dimension.*Received: the shape \(2, 2\)"):
        read(labels=LABELS.reshape(2, 2))


@pytest.mark.parametrize("shape", [(4,), (4, 2, 2, 2, 2)], ids=["1", "5"])
def test_images_in_other_dimensions_are_refused(read, shape):
    with pytest.raises(DataError, match=r"images\.gz must hold images, in 2 to 4 dimensions.*exchanged"):
        read(np.zeros(shape, np.uint8))


def test_images_and_labels_must_be_as_many(read):
    with pytest.raises(DataError, match=r"labels\.gz must hold one label for each of the 4 images.*Received: 3 labels"):
        read(labels=LABELS[:3])


@pytest.mark.parametrize("given", ["test_images", "test_labels"])
def test_half_a_test_pair_is_refused(write_idx, given):
    files = {"images": write_idx("a", IMAGES), "labels": write_idx("b", LABELS), given: write_idx("c", LABELS)}
    with pytest.raises(DataError, match=rf"must be given together\. Received: .*{given}='.*/c'"):
        idx(**files)


def test_empty_file_is_named(write_idx, tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match=r"empty must be an IDX file.*Received: an empty file"):
        idx(images=write_idx("a", IMAGES), labels=tmp_path / "empty")


def test_class_named_twice_is_refused(read):
    with pytest.raises(DataError, match=r"must name each class once\. Received: 'cat' twice\."):
        read(classes=["cat", "dog", "cat"])


def test_no_class_names_are_refused(read):
    with pytest.raises(DataError, match="must name at least one class"):
        read(classes=[])

"""Tests of `trainkit.data.images.files`, and so of `trainkit.data.images.column`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainkit.data.images import ImageFiles, ImageSpec, read_image
from trainkit.framework import tf

SPEC = ImageSpec(6, 5, 3)
STREAMED, KEPT = 0, 2**20
BUDGETS = {"streamed": STREAMED, "kept": KEPT}


def save(filepath, seed, size=(11, 9)):
    filepath.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)
    Image.fromarray(values).save(filepath)
    return filepath


@pytest.fixture
def files(tmp_path):
    """Forty images, more than one thread reads at a time."""
    return [save(tmp_path / "pets" / f"{row}.png", row) for row in range(40)]


@pytest.fixture
def images(files, tmp_path):
    return ImageFiles(files, tmp_path / "pets")


@pytest.fixture(params=BUDGETS.values(), ids=BUDGETS)
def budget(request):
    return request.param


def test_files_are_a_column_of_names_until_they_are_read(images, files):
    assert len(images) == 40
    assert (images.field.shape, images.field.dtype, images.array) == ((), "string", None)
    assert list(images.bad()) == []
    assert images.gather([3, 1]).numpy().tolist() == [str(files[3]).encode(), str(files[1]).encode()]
    assert images.digest(np.array([0, 1])) != images.digest(np.array([1, 0]))


def test_field_tells_size_and_range(images, budget):
    column = images.read(SPEC, budget=budget)
    assert len(column) == 40
    assert (column.field.shape, column.field.dtype, column.field.value_range) == ((6, 5, 3), "float32", (0, 255))
    assert column.field.is_image


def test_images_are_kept_where_they_fit(images):
    assert images.read(SPEC, budget=40 * 6 * 5 * 3 - 1).array is None
    array = images.read(SPEC, budget=40 * 6 * 5 * 3).array
    assert (array.shape, array.dtype) == ((40, 6, 5, 3), np.uint8)
    assert images.read(SPEC).array is not None


def test_gather_gives_the_images_at_the_rows(images, files, budget):
    column = images.read(SPEC, budget=budget)
    batch = column.gather(tf.constant([33, 0, 33], tf.int64))
    assert batch.dtype == tf.float32
    np.testing.assert_array_equal(batch, [read_image(files[row], SPEC).astype(np.float32) for row in (33, 0, 33)])


def test_gather_of_no_rows_is_empty(images, budget):
    assert images.read(SPEC, budget=budget).gather(tf.zeros([0], tf.int64)).shape == (0, 6, 5, 3)


def test_batches_of_a_dataset_have_a_static_shape(images, files, budget):
    column = images.read(SPEC, budget=budget)
    dataset = tf.data.Dataset.range(40).batch(16).map(column.gather, num_parallel_calls=2)
    assert dataset.element_spec == tf.TensorSpec((None, 6, 5, 3), tf.float32)
    values = np.concatenate(list(dataset.as_numpy_iterator()))
    np.testing.assert_array_equal(values, [read_image(filepath, SPEC) for filepath in files])


def test_both_ways_give_the_same_values_and_digest(images):
    streamed, kept = (images.read(SPEC, budget=budget) for budget in (STREAMED, KEPT))
    rows = np.arange(40)
    np.testing.assert_array_equal(streamed.gather(rows), kept.gather(rows))
    assert streamed.digest(rows) == kept.digest(rows)


def test_digest_depends_on_content_order_and_size(images, files, budget):
    rows = np.array([3, 1, 2])
    before = images.read(SPEC, budget=budget)
    assert before.digest(rows) == images.read(SPEC, budget=budget).digest(rows)
    assert before.digest(rows) != before.digest(rows[::-1])
    assert before.digest(rows) != images.read(ImageSpec(6, 5, 3, "area"), budget=budget).digest(rows)
    save(files[2], 1000)
    after = images.read(SPEC, budget=budget)
    assert before.digest(rows) != after.digest(rows)
    assert before.digest(rows[:2]) == after.digest(rows[:2])


def test_unreadable_rows_are_remembered_with_the_reason(images, files, budget):
    files[4].write_bytes(b"")
    files[30].write_bytes(files[30].read_bytes()[:100])
    files[7].unlink()
    reasons = dict(images.read(SPEC, budget=budget).bad())
    assert list(reasons) == [4, 7, 30]
    assert reasons[4] == "must be a PNG, JPEG, BMP, GIF or WebP image. Received: 0 bytes."
    assert reasons[7] == "must be a file that can be read. Received: No such file or directory."
    assert reasons[30].startswith("must be a whole, undamaged PNG image. Received: ")


@pytest.mark.parametrize("change", [Path.unlink, lambda filepath: filepath.write_bytes(b"x")], ids=["gone", "damaged"])
def test_file_that_changes_after_it_was_read_is_named(images, files, change):
    column = images.read(SPEC, budget=STREAMED)
    change(files[5])
    dataset = tf.data.Dataset.range(8).batch(4).map(column.gather)
    with pytest.raises(tf.errors.OpError, match=r"pets/5\.png: must be .* It could be read before\."):
        list(dataset)


@pytest.mark.parametrize(
    "name, shown",
    [
        ("a b.png", "pets/a b.png"),
        ("Tür 猫.png", "pets/Tür 猫.png"),
        ("two\nlines.png", r"'pets/two\nlines.png'"),
        ("bytes\udcff.png", r"'pets/bytes\udcff.png'"),
    ],
    ids=["space", "unicode", "newline", "not UTF-8"],
)
def test_any_name_can_be_read_and_shown_on_a_line(tmp_path, name, shown, budget):
    images = ImageFiles([save(tmp_path / "pets" / name, 0)], tmp_path / "pets")
    column = images.read(SPEC, budget=budget)
    assert list(column.bad()) == []
    assert column.gather([0]).shape == (1, 6, 5, 3)
    assert images.original(0) == column.original(0) == shown


def test_file_outside_the_root_is_shown_as_given(tmp_path):
    images = ImageFiles([tmp_path / "other" / "1.png"], tmp_path / "data" / "pets")
    assert images.original(0) == str(tmp_path / "other" / "1.png")


def test_relative_files_are_shown_as_they_are():
    assert ImageFiles([Path("pets/cat/1.png")], Path("pets")).original(0) == "pets/cat/1.png"

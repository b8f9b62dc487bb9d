"""Tests of `trainkit.data.inputs`."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trainkit.config import SettingError
from trainkit.data import ArrayColumn, Field
from trainkit.data.images import ImageFiles, ImageSpec
from trainkit.data.inputs import image_spec, make_input

BYTES = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4, 1)
TEXT = {"model__input": ..., "model__inputs": {"input": {"shape": [1], "dtype": "string"}}}
LONG = {"model__input": ..., "model__inputs": {"input": {"shape": [2, 2, 1]}}}


@pytest.fixture
def make(make_config):
    """Make the input of a config from named arrays or columns."""

    def call(columns, **changes):
        columns = {
            name: ArrayColumn(column, origin="a.csv") if isinstance(column, np.ndarray) else column
            for name, column in columns.items()
        }
        return make_input(columns, make_config(**changes).experiment, name="input")

    return call


def test_array_of_the_right_shape_stays_as_it_is(make):
    images = np.zeros((3, 2, 2, 1), np.uint8)
    column = make({"image": images})
    assert column.array is images
    assert column.field == Field((2, 2, 1), value_range=(0.0, 255.0), columns=("image",))


@pytest.mark.parametrize("shape", [[None, 2, 1], [None, None, None]], ids=["one", "all"])
def test_length_that_is_open_takes_any(make, shape):
    assert make({"image": np.zeros((3, 5, 2, 1))}, model__input=shape).field.shape == (5, 2, 1)


def test_grey_images_get_the_channel_that_the_network_has(make):
    column = make({"image": BYTES[:, :2, :2, 0]})
    assert column.array.tolist() == BYTES[:, :2, :2].tolist()
    assert column.field.value_range == (0.0, 255.0)


def test_rows_in_two_dimensions_stay_so_where_the_network_takes_them(make):
    assert make({"series": BYTES[..., 0]}, model__input=[4, 4]).field.shape == (4, 4)


def test_numbers_stand_side_by_side(make):
    columns = {"a": np.array([1, 2], np.int8), "b": np.array([[0.5, 3], [4, 5]], np.float32)}
    column = make(columns, model__input=[3])
    assert column.array.tolist() == [[1, 0.5, 3], [2, 4, 5]]
    assert column.field == Field((3,), columns=("a", "b"))
    assert column.original(1) == "a.csv, row 1"


def test_one_number_is_a_column_of_one(make):
    assert make({"a": np.array([1, 2])}, model__input=[1]).array.tolist() == [[1], [2]]


def test_texts_stand_side_by_side(make):
    changes = {"model__input": ..., "model__inputs": {"input": {"shape": [2], "dtype": "string"}}}
    column = make({"a": np.array(["x", "y"]), "b": np.array(["longer", ""])}, **changes)
    assert column.array.tolist() == [["x", "longer"], ["y", ""]]
    assert column.field == Field((2,), "string", columns=("a", "b"))


def test_batches_have_the_type_that_the_network_takes(make):
    changes = {"model__input": ..., "model__inputs": {"input": {"shape": [2], "dtype": "int64"}}}
    column = make({"a": np.array([[1, 2]], np.uint8)}, **changes)
    assert column.gather(np.array([0])).dtype == "int64"


def test_bad_rows_stay_bad(make):
    first = ArrayColumn(np.array([0, np.nan, np.nan, 0], np.float32), missing=True, known_bad={3: "is odd."})
    second = ArrayColumn(np.array([0, 0, np.inf, 0], np.float32))
    column = make({"a": first, "b": second}, model__input=[2])
    assert list(column.bad()) == [(3, "is odd."), (2, "must be a finite number. Received: inf.")]


def test_image_files_are_read_in_the_size_of_the_network(make, tmp_path):
    for index in range(2):
        Image.fromarray(BYTES[index, :, :, 0]).save(tmp_path / f"{index}.png")
    files = ImageFiles([tmp_path / "0.png", tmp_path / "1.png"], tmp_path)
    column = make({"image": files}, data__resize={"method": "nearest", "fit": "crop"})
    assert (column.spec, len(column)) == (ImageSpec(2, 2, 1, "nearest", True, "crop"), 2)
    assert make({"image": files}).spec == ImageSpec(2, 2, 1)


def test_arrays_are_sized_where_the_config_says_so(make):
    column = make({"image": BYTES}, data__resize={"method": "nearest", "antialias": False})
    # the pixel under the centre of each quarter of 4×4
    assert column.array[0, :, :, 0].tolist() == [[5, 7], [13, 15]]
    assert column.original(2) == "a.csv, image 2"


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_image_spec_is_the_shape_of_the_input(make_config, channels):
    config = make_config(model__input=[6, 5, channels], data__resize={"method": "area", "antialias": False})
    assert image_spec(config.experiment, "input") == ImageSpec(6, 5, channels, "area", False, "stretch")


@pytest.mark.parametrize(
    "shape, message",
    [
        ([4], r"^must be \[height, width, channels\], all numbers, for images\. Received: \[4\]\.$"),
        ([None, 4, 1], r"^must be \[height, width, channels\], .* Received: \[None, 4, 1\]\.$"),
        ([4, 4, 2], r"^must have 1 channel \(grey\), 3 \(RGB\) or 4 \(RGBA\) for images\. Received: \[4, 4, 2\]\.$"),
    ],
    ids=["flat", "open", "two channels"],
)
def test_input_that_is_no_image_is_refused_for_images(make_config, shape, message):
    with pytest.raises(SettingError, match=message) as caught:
        image_spec(make_config(model__input=shape).experiment, "input")
    assert caught.value.path == ("model", "input")


@pytest.mark.parametrize(
    "columns, changes, path, message",
    [
        (
            {"a": np.zeros((3, 4, 4, 1))},
            {},
            ("model", "input"),
            r"^must be the shape of the data, \[4, 4, 1\]\. Received: \[2, 2, 1\]\. Or let `data\.resize` size them\.$",
        ),
        (
            {"a": np.zeros((3, 4, 4, 1))},
            LONG,
            ("model", "inputs", "input", "shape"),
            r"^must be the shape of the data, \[4, 4, 1\]\.",
        ),
        (
            {"a": np.zeros((3, 5))},
            {"model__input": [4]},
            ("model", "input"),
            r"^must be the shape of the data, \[5\]\. Received: \[4\]\.$",
        ),
        (
            {"a": np.zeros(3), "b": np.zeros(3)},
            {"model__input": [2, 1]},
            ("model", "input"),
            r"^must be the shape of the data, \[2\]\. Received: \[2, 1\]\.$",
        ),
        (
            {"a": np.array(["x"])},
            {"model__input": [1]},
            ("model", "input"),
            r"^the data of 'input' are texts: write `inputs: {input: {shape: \[1\], dtype: string}}`\. "
            r"Received: dtype='float32'\.$",
        ),
        (
            {"a": np.zeros(3)},
            TEXT,
            ("model", "inputs", "input", "dtype"),
            r"^the data of 'input' are numbers\. Received: dtype='string'\.$",
        ),
        (
            {"a": np.zeros(1), "b": np.array(["x"])},
            {},
            ("data", "inputs"),
            r"^must be columns of numbers only, or of texts only, to be put side by side\. Received: 'b' is text, for "
            r"one at a\.csv, row 0: 'x'\. Mend that cell, or give each kind an input of its own in `model\.inputs`\.$",
        ),
        (
            {"a": np.zeros(1), "b": np.zeros((1, 2, 2, 1))},
            {"data__inputs": {"input": ["a", "b"]}},
            ("data", "inputs", "input"),
            r"^must be columns of numbers only",
        ),
        (
            {"a": ImageFiles([], root=None), "b": np.zeros(0)},
            {},
            ("data", "inputs"),
            r"^must be columns of numbers only",
        ),
        (
            {"a": np.zeros((3, 4, 4, 1), np.float32)},
            {"data__resize": {}},
            ("data", "resize"),
            r"^images must be bytes to be sized\. Received: float32\.$",
        ),
    ],
    ids=[
        "image",
        "long form",
        "features",
        "dimensions",
        "texts",
        "numbers",
        "mixed",
        "image beside",
        "files beside",
        "floats",
    ],
)
def test_columns_that_do_not_fit_are_refused(make, columns, changes, path, message):
    with pytest.raises(SettingError, match=message) as caught:
        make(columns, **changes)
    assert caught.value.path == path

"""Tests of `trainkit.data.sources.npz`, and so of `trainkit.data.array_files` and `array_records`."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from trainkit.data.sources.npz import npz
from trainkit.errors import DataError

X = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
Y = np.array([0, 2, 1, 0], np.uint8)
KERAS = {"x_train": X, "y_train": Y, "x_test": X[:2], "y_test": Y[:2]}


@pytest.fixture
def read(tmp_path):
    """Write dictionaries of arrays as .npz files and call the source on them."""

    def call(path, *, test=None, validation=None, **arguments):
        files = {"path": ("train.npz", path), "test": ("test.npz", test), "validation": ("val.npz", validation)}
        for key, (name, arrays) in files.items():
            if arrays is not None:
                arguments[key] = tmp_path / name
                np.savez(arguments[key], **arrays)
        return npz(**arguments)

    return call


@pytest.fixture
def read_bytes(tmp_path):
    """Call the source on a file of these bytes."""

    def call(content):
        (tmp_path / "data.npz").write_bytes(content)
        return npz(path=tmp_path / "data.npz")

    return call


def npz_bytes(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def npy_bytes(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def zip_bytes(name, content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def test_each_array_is_a_column(read):
    train = read({"x": X, "y": Y, "age": np.array([1.5, 2, 3, 4])}).train
    assert list(train.columns) == ["x", "y", "age"]
    assert train.size == 4
    assert train.target == "y"
    assert train.bad == {}


def test_compressed_files_are_read(tmp_path):
    np.savez_compressed(tmp_path / "data.npz", x=X, y=Y)
    assert npz(path=tmp_path / "data.npz").train.columns["y"].array.tolist() == [0, 2, 1, 0]


def test_grey_images_stay_bytes(read):
    column = read({"x": X, "y": Y}).train.columns["x"]
    assert column.field.shape == (3, 2)
    assert column.field.value_range == (0, 255)
    assert column.array.dtype == np.uint8
    assert column.array.ravel().tolist() == list(range(24))
    assert column.original(3) == "train.npz, x, row 3"


@pytest.mark.parametrize("shape", [(4,), (4, 7), (4, 5, 6, 3), (4, 2, 5, 6, 3)], ids=["1", "2", "4", "5"])
def test_other_arrays_keep_their_shape(read, shape):
    assert read({"x": np.zeros(shape), "y": Y}).train.columns["x"].field.shape == shape[1:]


@pytest.mark.parametrize(
    "stored, held",
    [
        ("uint8", "uint8"),
        ("int64", "int64"),
        ("float32", "float32"),
        ("float64", "float32"),
        ("float16", "float16"),
        ("bool", "int8"),
        (">f4", "float32"),
        (">i2", "int16"),
    ],
)
def test_numbers_are_held_small_and_batched_as_float32(read, stored, held):
    column = read({"x": np.array([[0], [1], [1], [0]], stored), "y": Y}).train.columns["x"]
    assert column.array.dtype == held
    assert column.array.dtype.isnative
    batch = column.gather([1, 3]).numpy()
    assert (batch.dtype, batch.tolist()) == (np.float32, [[1], [0]])


def test_number_too_large_for_32_bits_is_bad(read):
    column = read({"x": np.array([1, 1e39, 2, 3]), "y": Y}).train.columns["x"]
    assert list(column.bad()) == [(1, "must be a finite number. Received: inf.")]


def test_texts_are_columns_of_strings(read):
    column = read({"x": np.array(["a", "bé", "", "d"]), "y": Y}).train.columns["x"]
    assert (column.field.shape, column.field.dtype) == ((), "string")
    assert column.gather([1, 2]).numpy().tolist() == ["bé".encode(), b""]


def test_texts_are_no_images(read):
    assert read({"x": np.full((4, 3, 2), "a"), "y": Y}).train.columns["x"].field.shape == (3, 2)


def test_keras_names_make_training_and_test_part(read):
    source = read(KERAS)
    assert list(source.present) == ["train", "test"]
    assert [list(part.columns) for part in source.present.values()] == [["x", "y"], ["x", "y"]]
    assert [part.target for part in source.present.values()] == ["y", "y"]
    assert source.test.columns["y"].array.tolist() == [0, 2]
    assert source.test.columns["y"].field.classes == ("0", "1", "2")
    assert source.test.columns["x"].original(1) == "train.npz, x_test, row 1"


def test_keras_names_without_test_make_a_training_part(read):
    assert list(read({"x_train": X, "y_train": Y}).present) == ["train"]


def test_keras_names_may_have_a_validation_file(read):
    assert list(read(KERAS, validation={"x": X, "y": Y}).present) == ["train", "validation", "test"]


def test_other_names_beside_those_of_keras_are_refused(read):
    with pytest.raises(DataError, match=r"must hold x_train, .* and nothing else.*Received: 'x_val' too\. Samples"):
        read({**KERAS, "x_val": X})


@pytest.mark.parametrize("name", ["x_test", "y_test"])
def test_half_a_test_pair_is_refused(read, name):
    with pytest.raises(DataError, match=rf"must hold x_train, y_train, x_test, y_test.*Received: no '{name}'"):
        read({key: array for key, array in KERAS.items() if key != name})


def test_two_test_parts_are_refused(read):
    with pytest.raises(DataError, match=r"`test` must be left out where .*'x_test', 'y_test'\. Received: test='.*npz'"):
        read(KERAS, test={"x": X, "y": Y})


def test_test_and_validation_files_make_parts(read):
    source = read({"x": X, "y": Y}, test={"x": X[:1], "y": Y[:1]}, validation={"y": Y[:2], "x": X[:2]})
    assert {role: part.size for role, part in source.present.items()} == {"train": 4, "validation": 2, "test": 1}
    assert source.test.columns["y"].field.classes == ("0", "1", "2")


@pytest.mark.parametrize("part", ["test", "validation"])
def test_parts_of_other_arrays_are_refused(read, part):
    with pytest.raises(DataError, match=r"must hold the arrays of .*train\.npz: 'x', 'y'\. Received: 'x', 'z'\."):
        read({"x": X, "y": Y}, **{part: {"x": X, "z": Y}})


def test_texts_where_training_has_numbers_are_refused(read):
    with pytest.raises(DataError, match=r"test\.npz, y must hold numbers, as train\.npz, y does\. Received: texts\."):
        read({"x": X, "y": Y}, test={"x": X, "y": np.array(["a", "b", "c", "d"])})


@pytest.mark.parametrize("name", ["y", "label", "labels", "target", "targets"])
def test_target_is_known_by_its_name(read, name):
    train = read({"x": X, name: Y}).train
    assert train.target == name
    assert train.columns[name].field.classes == ("0", "1", "2")


@pytest.mark.parametrize(
    "arrays", [{"x": X, "z": Y}, {"x": X, "y": Y, "label": Y}], ids=["none of the names", "two of the names"]
)
def test_target_that_is_not_clear_is_none(read, arrays):
    train = read(arrays).train
    assert train.target is None
    assert {column.field.classes for column in train.columns.values()} == {None}


def test_target_can_be_said(read):
    train = read({"x": X, "y": Y, "kind": Y[::-1]}, target="kind").train
    assert train.target == "kind"
    assert train.columns["kind"].field.classes == ("0", "1", "2")
    assert train.columns["y"].field.classes is None


def test_unknown_target_is_refused(read):
    with pytest.raises(DataError, match=r"must be an array of the file: 'x', 'kind'\..*'knid'\. Did you mean 'kind'\?"):
        read({"x": X, "kind": Y}, target="knid")


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "uint64", "bool"])
def test_whole_numbers_are_class_ids(read, dtype):
    column = read({"x": X, "y": np.array([0, 1, 1, 0], dtype)}).train.columns["y"]
    assert (column.field.shape, column.field.dtype, column.field.classes) == ((), "int32", ("0", "1"))
    assert (column.array.dtype, column.array.tolist()) == (np.int32, [0, 1, 1, 0])
    assert column.original(2) == "train.npz, y, row 2"


@pytest.mark.parametrize(
    "labels",
    [np.array([0.5, 1, 2, 3]), np.array([[0.5], [1], [2], [3]]), np.array([[0, 1], [1, 0], [0, 1], [1, 0]])],
    ids=["numbers", "column", "one-hot"],
)
def test_other_targets_are_numbers(read, labels):
    column = read({"x": X, "y": labels}).train.columns["y"]
    assert (column.field.shape, column.field.dtype, column.field.classes) == (labels.shape[1:], "float32", None)


@pytest.mark.parametrize("labels", [Y, Y.astype(float), Y[:, np.newaxis]], ids=["whole", "float", "column"])
def test_classes_can_be_named(read, labels):
    column = read({"x": X, "y": labels}, classes=["cat", "dog", "fox"]).train.columns["y"]
    assert (column.field.shape, column.field.dtype, column.field.classes) == ((), "int32", ("cat", "dog", "fox"))
    assert column.array.tolist() == [0, 2, 1, 0]


def test_classes_order_a_target_of_texts(read):
    labels = np.array(["dog", "cat", "dgo", "cat"])
    train = read({"x": X, "y": labels}, classes=["dog", "cat"]).train
    assert train.columns["y"].field.classes == ("dog", "cat")
    assert train.columns["y"].field.dtype == "string"
    assert train.columns["y"].array.tolist() == labels.tolist()
    assert train.bad == {
        2: "train.npz, y, row 2: a label must be one of the 2 classes, ['dog', 'cat']. Received: 'dgo'."
    }


@pytest.mark.parametrize(
    "label, shown", [(3, "3.0"), (-1, "-1.0"), (0.5, "0.5"), (np.nan, "nan"), (np.inf, "inf")], ids=str
)
def test_label_of_no_class_is_bad(read, label, shown):
    train = read({"x": X, "y": np.array([0, 2, label, 1.0])}, classes=["cat", "dog", "fox"]).train
    assert train.bad == {
        2: f"train.npz, y, row 2: a label must be in [0, 2], the id of one of 3 classes. Received: {shown}."
    }


def test_test_label_never_seen_in_training_is_bad(read):
    source = read({"x": X, "y": Y}, test={"x": X[:2], "y": np.array([0, 7])})
    assert source.train.bad == {}
    assert source.test.bad == {
        1: "test.npz, y, row 1: a label must be in [0, 2], the id of one of 3 classes. Received: 7."
    }


def test_label_that_can_be_no_class_makes_no_names(read):
    train = read({"x": X, "y": np.array([0, 1, 2, 2**62])}).train
    assert len(train.columns["y"].field.classes) == 65_536
    assert train.bad.keys() == {3}


def test_labels_below_zero_are_bad(read):
    train = read({"x": X, "y": np.array([-1, -2, -1, -1])}).train
    assert train.bad.keys() == {0, 1, 2, 3}
    assert train.columns["y"].field.classes == ("0",)


def test_classes_of_rows_with_several_values_are_refused(read):
    with pytest.raises(
        DataError, match=r"train\.npz, y must hold one label .*shape \(4,\)\. Received: the shape \(4, 2\).*argmax"
    ):
        read({"x": X, "y": np.zeros((4, 2))}, classes=["cat", "dog"])


def test_classes_without_a_target_are_refused(read):
    with pytest.raises(DataError, match=r"`classes` must name the classes of one array\. Received: arrays 'x', 'z'"):
        read({"x": X, "z": Y}, classes=["cat", "dog"])


def test_class_named_twice_is_refused(read):
    with pytest.raises(DataError, match=r"must name each class once\. Received: 'cat' twice\."):
        read({"x": X, "y": Y}, classes=["cat", "dog", "cat"])


def test_no_class_names_are_refused(read):
    with pytest.raises(DataError, match="must name at least one class"):
        read({"x": X, "y": Y}, classes=[])


def test_arrays_must_be_of_one_length(read):
    with pytest.raises(
        DataError, match=r"of one length.*Received: train\.npz, x: \(4, 3, 2\); train\.npz, y: \(3,\)\."
    ):
        read({"x": X, "y": Y[:3]})


@pytest.mark.parametrize(
    "array, came",
    [
        (np.array([1 + 2j]), r"must hold numbers or texts\. Received: the dtype complex128\. Store its real"),
        (np.array([b"cat"]), r"must hold numbers or texts\. Received: the dtype \|S3\. Store it as text"),
        (np.array(["2007-11-16"], "datetime64[D]"), r"must hold numbers or texts\. Received: .*Store a number"),
        (np.array([(1, 2.0)], "i4,f4"), r"must hold numbers or texts\. Received: .*Store each of its fields"),
        (np.array([[1], [2, 3]], object), r"must hold numbers or texts\. Received: Python objects, which could"),
        (np.array(3), r"must hold at least one sample.*Received: the shape \(\)"),
        (np.zeros((0, 3)), r"must hold at least one sample.*Received: the shape \(0, 3\)"),
        (np.zeros((3, 0)), r"must hold at least one sample.*Received: the shape \(3, 0\)"),
    ],
    ids=["complex", "bytes", "dates", "records", "objects", "single value", "no samples", "no values"],
)
def test_array_that_holds_no_samples_is_refused(read, array, came):
    with pytest.raises(DataError, match=rf"train\.npz, x {came}"):
        read({"x": array})


WHOLE = npz_bytes(x=X, y=Y)
VALUES = bytes(range(24))


@pytest.mark.parametrize(
    "content, came",
    [
        (b"", r"must be an \.npz file.*Received: an empty file\."),
        (b"x,y\n1,2\n", r"must be an \.npz file.*Received: a file that begins with b'x,y\\n1,'\. Check that"),
        (npy_bytes(X), r"must be an \.npz file.*Received: a file that begins with b'\\x93NUMPY'"),
        (WHOLE[:-30], r"must be an \.npz file.*Received: a damaged one \(File is not a zip file\)\. Write it again"),
        (WHOLE.replace(VALUES, VALUES[::-1]), r"x must hold an array\. Received: a damaged one \(Bad CRC-32"),
        (zip_bytes("x.npy", npy_bytes(X)[:-5]), r"x must hold an array\. Received: a damaged one"),
        (
            zip_bytes("x.npy", npy_bytes(X).replace(b"(4, 3, 2), }" + b" " * 14, b"(4, 3, 2" + b"0" * 14 + b"), }")),
            r"x must hold an array\. Received: a damaged one",
        ),
        (zip_bytes("notes.txt", b"cats"), r"notes\.txt must hold an array\. Received: a file of another kind"),
        (zip_bytes("x.npy", b"cats"), r"x must hold an array\. Received: a file of another kind"),
        (npz_bytes(), r"must hold at least one array\. Received: none"),
    ],
    ids=[
        "empty",
        "text",
        "npy",
        "truncated",
        "damaged",
        "array truncated",
        "array that fits in no memory",
        "other file",
        "other file called npy",
        "no array",
    ],
)
def test_file_that_is_no_npz_is_refused(read_bytes, content, came):
    with pytest.raises(DataError, match=rf"data\.npz.*{came}"):
        read_bytes(content)


@pytest.mark.parametrize(
    "name, came",
    [("nothing.npz", "no such file"), (".", "a directory"), ("x" * 300, "File name too long")],
    ids=["missing", "directory", "name"],
)
def test_path_that_is_no_file_is_refused(tmp_path, name, came):
    with pytest.raises(DataError, match=rf"must be an \.npz file.*Received: {came}\. Check the "):
        npz(path=tmp_path / name)

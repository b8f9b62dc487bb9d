"""The contract of a source, over every one that is registered."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from PIL import Image

from trainkit.data import SOURCES, fingerprint, load_data
from trainkit.data.images import ImageFiles


def idx(folder, write_mnist, write_idx):
    generator = np.random.default_rng(0)
    files = {}
    for part, size in (("", 21), ("test_", 8)):
        images = generator.integers(0, 256, (size, 4, 5)).astype(np.uint8)
        files[f"{part}images"] = write_idx(f"{part}images.gz", images)
        files[f"{part}labels"] = write_idx(f"{part}labels.gz", (np.arange(size) % 3).astype(np.uint8))
    return files


def arrays(size):
    images = np.random.default_rng(size).integers(0, 256, (size, 4, 5, 1), dtype=np.uint8)
    return images, np.arange(size) % 3


def npy(folder, write_mnist, write_idx):
    for part, size in (("", 21), ("test_", 8)):
        for name, array in zip(("inputs", "targets"), arrays(size), strict=True):
            np.save(folder / f"{part}{name}.npy", array)
    return {name: folder / f"{name}.npy" for name in ("inputs", "targets", "test_inputs", "test_targets")}


def npz(folder, write_mnist, write_idx):
    train, test = arrays(21), arrays(8)
    np.savez(folder / "data.npz", x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1])
    return {"path": folder / "data.npz"}


def csv(folder, write_mnist, write_idx):
    for name, size in (("train.csv", 21), ("test.csv", 8)):
        rows = [f"{index},{index / 2},{'abc'[index % 3]}" for index in range(size)]
        (folder / name).write_text("\n".join(["width,height,kind", *rows]))
    return {"path": folder / "train.csv", "test": folder / "test.csv"}


def write_images(folder, size):
    lines = []
    for index in range(size):
        filepath = folder / "abc"[index % 3] / f"{index}.png"
        filepath.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 5), index, np.uint8)).save(filepath)
        lines.append(f"{filepath.relative_to(folder)} {'abc'[index % 3]}")
    return lines


def image_folder(folder, write_mnist, write_idx):
    write_images(folder / "train", 21)
    write_images(folder / "test", 8)
    return {"path": folder}


def image_list(folder, write_mnist, write_idx):
    for part, size in (("train", 21), ("test", 8)):
        (folder / part).mkdir()
        (folder / part / "list.txt").write_text("\n".join(write_images(folder / part, size)))
    return {part: folder / part / "list.txt" for part in ("train", "test")}


ARGUMENTS = {
    "Sample": lambda folder, write_mnist, write_idx: {},
    "Mnist": lambda folder, write_mnist, write_idx: {"path": write_mnist()},
    "FashionMnist": lambda folder, write_mnist, write_idx: {"path": write_mnist()},
    "Idx": idx,
    "ImageFolder": image_folder,
    "ImageList": image_list,
    "Csv": csv,
    "Npz": npz,
    "Npy": npy,
}
SETTINGS = {"Csv": {"model__input": [2], "data__targets": "kind"}}
SHAPES = {"Sample": [28, 28, 1], "Mnist": [28, 28, 1], "FashionMnist": [28, 28, 1]}
SIZES = {"Sample": (10_000, 2_000), "Mnist": (40, 10), "FashionMnist": (40, 10)}


@pytest.fixture(params=ARGUMENTS)
def name(request):
    return request.param


@pytest.fixture
def arguments(name, tmp_path, write_mnist, write_idx):
    return ARGUMENTS[name](tmp_path, write_mnist, write_idx)


@pytest.fixture
def source(name, arguments):
    return SOURCES.get(name)(**arguments)


@pytest.fixture
def columns(source):
    return [
        (part, column, records.columns[column])
        for part, records in source.present.items()
        for column in records.columns
    ]


def test_every_source_is_tried():
    assert set(ARGUMENTS) == set(SOURCES)
    assert len(ARGUMENTS) >= 9


@pytest.mark.parametrize("name", list(SOURCES))
def test_arguments_are_keywords_with_annotations(name):
    signature = inspect.signature(SOURCES.get(name))
    assert signature.return_annotation == "Source"
    for parameter in signature.parameters.values():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.annotation is not parameter.empty


def test_source_has_the_parts_that_its_files_hold(name, source):
    assert {part: records.size for part, records in source.present.items()} == dict(
        zip(("train", "test"), SIZES.get(name, (21, 8)), strict=True)
    )


def test_columns_of_a_part_are_as_long(source):
    for records in source.present.values():
        assert {len(column) for column in records.columns.values()} == {records.size}


def test_parts_have_the_same_columns_of_the_same_kind(source):
    train, test = source.train, source.test
    assert list(train.columns) == list(test.columns)
    assert train.target == test.target
    for name, column in train.columns.items():
        assert test.columns[name].field == column.field


def test_target_is_a_column_in_memory(source):
    if source.train.target is not None:
        for records in source.present.values():
            assert records.columns[records.target].array is not None


def test_good_data_has_no_bad_rows(source, columns):
    assert [records.bad for records in source.present.values()] == [{}, {}]
    assert [list(column.bad()) for _, _, column in columns] == [[]] * len(columns)


def test_values_have_the_type_and_shape_that_is_said(columns):
    assert columns
    for _, name, column in columns:
        values = column.gather(np.array([3, 0, 5]))
        assert (name, values.dtype, values.shape) == (name, column.field.dtype, (3, *column.field.shape))
        if column.array is not None and column.field.dtype != "string":
            np.testing.assert_allclose(values, column.array[[3, 0, 5]])


def test_source_returns_the_same_data_each_time(name, arguments, columns):
    again = SOURCES.get(name)(**arguments).present
    for part, column_name, column in columns:
        rows = np.arange(len(column))
        assert again[part].columns[column_name].digest(rows) == column.digest(rows)


def test_digest_tells_samples_apart(columns):
    for _, _, column in columns:
        rows = np.arange(len(column))
        assert column.digest(rows) != column.digest(rows[::-1])


def test_original_tells_samples_apart(columns):
    for _, _, column in columns:
        assert len({column.original(row) for row in range(len(column))}) == len(column)


def test_image_files_are_not_opened_yet(name, columns):
    is_image = [isinstance(column, ImageFiles) for _, _, column in columns]
    assert any(is_image) is name.startswith("Image")


def test_data_of_a_source_can_be_trained_on(name, arguments, make_config):
    settings = {"model__input": SHAPES.get(name, [4, 5, 1])} | SETTINGS.get(name, {})
    written = {key: str(value) for key, value in arguments.items()}
    config = make_config(data__source={name: written}, **settings)
    splits = load_data(config)
    train, test = SIZES.get(name, (21, 8))
    assert splits.train.size + splits.validation.size == train
    assert splits.test.size == test
    ((inputs, targets, _),) = splits.test.subset(np.arange(3)).ordered(3)
    assert (inputs["input"].dtype, inputs["input"].shape) == ("float32", (3, *settings["model__input"]))
    assert (targets["digit"].dtype, targets["digit"].shape) == ("int32", (3,))
    assert splits.test.labels("digit")[:3].tolist() == targets["digit"].numpy().tolist()
    assert fingerprint(load_data(config)) == fingerprint(splits)

"""Tests of `trainkit.data.sources.image_folder`, and so of `trainkit.data.images.walk` and `class_names`."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from trainkit.data.images import ImageFiles, ImageSpec
from trainkit.data.sources.image_folder import image_folder
from trainkit.errors import DataError

SIMPLE = ["cat/1.png", "cat/2.png", "dog/1.png"]
SPLIT = [f"{part}/{name}" for part in ("train", "val", "test") for name in SIMPLE]


@pytest.fixture
def make(tmp_path):
    """Make a data set of files; a name that ends in `/` is an empty folder, and only .png files are images."""

    def call(*names):
        root = tmp_path / "pets"
        root.mkdir(exist_ok=True)
        for name in names:
            filepath = root / name
            if name.endswith("/"):
                filepath.mkdir(parents=True)
                continue
            filepath.parent.mkdir(parents=True, exist_ok=True)
            if filepath.suffix.lower() == ".png":
                Image.new("RGB", (2, 2), (len(name), 0, 0)).save(filepath)
            else:
                filepath.write_bytes(b"junk")
        return root

    return call


def rows(records):
    images, labels = records.columns["image"], records.columns["label"]
    return [(images.original(row), str(labels.array[row])) for row in range(records.size)]


def test_class_folders_are_training_samples(make):
    source = image_folder(path=make(*SIMPLE))
    assert rows(source.train) == [("pets/cat/1.png", "cat"), ("pets/cat/2.png", "cat"), ("pets/dog/1.png", "dog")]
    assert (source.validation, source.test) == (None, None)
    assert (source.train.target, source.train.bad) == ("label", {})


def test_columns_are_image_files_and_class_names(make):
    columns = image_folder(path=make(*SIMPLE)).train.columns
    assert list(columns) == ["image", "label"]
    assert isinstance(columns["image"], ImageFiles)
    assert columns["image"].read(ImageSpec(2, 2, 3)).array.shape == (3, 2, 2, 3)
    assert (columns["label"].field.dtype, columns["label"].field.classes) == ("string", ("cat", "dog"))
    assert columns["label"].original(2) == "pets/dog/1.png"


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_parts_are_told_by_their_folders(make, name):
    source = image_folder(
        path=make(*SPLIT[:3], *(f"{name}/{file}" for file in SIMPLE[1:]), "test/cat/7.png", "test/dog/8.png")
    )
    assert rows(source.validation) == [(f"pets/{name}/cat/2.png", "cat"), (f"pets/{name}/dog/1.png", "dog")]
    assert rows(source.test) == [("pets/test/cat/7.png", "cat"), ("pets/test/dog/8.png", "dog")]
    assert source.test.columns["label"].field.classes == ("cat", "dog")


def test_validation_and_test_are_optional(make):
    source = image_folder(path=make(*SPLIT[:3]))
    assert source.train.size == 3
    assert list(source.present) == ["train"]


def test_files_in_sub_folders_count_for_the_class_in_the_order_of_their_paths(make):
    names = ["cat/b.png", "cat/B.png", "cat/a/z/1.png", "cat/a/10.png", "cat/a/9.png", "cat-2/1.png", "cat/ä.png"]
    assert rows(image_folder(path=make(*names)).train) == [
        ("pets/cat-2/1.png", "cat-2"),
        ("pets/cat/B.png", "cat"),
        ("pets/cat/a/10.png", "cat"),
        ("pets/cat/a/9.png", "cat"),
        ("pets/cat/a/z/1.png", "cat"),
        ("pets/cat/b.png", "cat"),
        ("pets/cat/ä.png", "cat"),
    ]


@pytest.mark.parametrize("suffix", ["png", "PNG", "jpg", "JPEG", "jpe", "jfif", "bmp", "gif", "webp"])
def test_images_are_told_by_their_suffix(make, suffix):
    assert image_folder(path=make(*SIMPLE, f"dog/2.{suffix}")).train.size == 4


def test_ids_follow_the_training_folders_or_the_names_given(make):
    path = make(*SPLIT)
    assert image_folder(path=path).test.columns["label"].field.classes == ("cat", "dog")
    given = image_folder(path=path, classes=["dog", "cat"])
    assert given.train.columns["label"].field.classes == ("dog", "cat")
    assert given.test.columns["label"].field.classes == ("dog", "cat")


def test_class_names_may_hold_spaces_and_any_letter(make):
    source = image_folder(path=make("big cat/1.png", "猫\xa0犬/1.png"))
    assert source.train.columns["label"].field.classes == ("big cat", "猫\xa0犬")


def test_what_systems_leave_behind_is_ignored(make):
    junk = [".DS_Store", "cat/._1.png", "__MACOSX/cat/1.png", "cat/Thumbs.db", ".ipynb_checkpoints/1.png"]
    path = make(*SIMPLE, *junk, "dog/desktop.ini", "dog/.ipynb_checkpoints/2.png", "dog/@eaDir/1.png")
    assert image_folder(path=path).train.size == 3


def test_files_beside_the_parts_do_not_count(make):
    assert image_folder(path=make(*SPLIT, "README.md")).train.size == 3


def test_links_are_followed(make, tmp_path):
    path = make(*SIMPLE)
    Image.new("RGB", (2, 2)).save(tmp_path / "elsewhere.png")
    (path / "dog" / "link.png").symlink_to(tmp_path / "elsewhere.png")
    (path / "fox").symlink_to(path / "cat")
    train = image_folder(path=path).train
    assert [label for _, label in rows(train)] == ["cat", "cat", "dog", "dog", "fox", "fox"]
    assert list(train.columns["image"].read(ImageSpec(2, 2, 3)).bad()) == []


def test_empty_and_broken_files_are_found_when_they_are_read(make):
    path = make(*SIMPLE, "dog/empty.jpg")
    (path / "dog" / "empty.jpg").write_bytes(b"")
    (path / "dog" / "nowhere.png").symlink_to(path / "nowhere")
    reasons = dict(image_folder(path=path).train.columns["image"].read(ImageSpec(2, 2, 3)).bad())
    assert reasons[3] == "must be a PNG, JPEG, BMP, GIF or WebP image. Received: 0 bytes."
    assert reasons[4] == "must be a file that can be read. Received: No such file or directory."


@pytest.mark.parametrize(
    "names, message",
    [
        ([], r"pets must hold a folder of images for each class\. Received: an empty folder\."),
        (["cat/1.png"], r"pets must hold two classes or more\. Received: 'cat'\. If the class folders are in it"),
        (["data/train/cat/1.png", "data/LICENSE"], r"classes or more\. Received: 'data'\. If the class folders are"),
        ([*SIMPLE, "fox/"], r"`train` must hold images of every class\. Received: no image in the folder of 'fox'\."),
        ([*SIMPLE, "1.png"], r"pets must hold nothing but class folders\. Received: 1 other file, '1\.png'\. Move"),
        ([*SPLIT, "train/a.csv"], r"train must hold nothing but class folders\. Received: 1 other file, 'a\.csv'\."),
        ([*SIMPLE, "cat/a.txt", "dog/b.heic"], r"nothing but images \(\.png, .*2 other files, 'cat/a\.txt', "),
        ([*SIMPLE, *(f"cat/{i}.txt" for i in range(20))], r"20 other files, 'cat/0\.txt', .* and 12 more\. Convert or"),
        ([*SPLIT, "cat/1.png"], r"either `train` .* or class folders\. Received: '\w+' beside 'cat'\. If it is a"),
        (["train/1.png", "bus/1.png"], r"Received: 'train' beside 'bus'\. If it is a class, move all"),
        (SPLIT[3:], r"pets must hold a folder `train`\. Received: 'test', 'val'"),
        (["Train/cat/1.png", "Train/dog/1.png"], r"Train must be called `train`, `validation` or `test`\. Rename it"),
        ([*SPLIT[:3], "testing/cat/1.png"], r"testing must be called `train`, `validation` or `test`\."),
        ([*SPLIT, "valid/cat/1.png"], r"pets must hold one folder to validate\. Received: 'val', 'valid'\."),
        ([*SPLIT[:3], "test/"], r"test must hold a folder of images for each class\. Received: an empty folder\."),
        (SPLIT[:-1], r"pets: `test` must hold images of every class\. Received: no folder for 'dog'\."),
        ([*SPLIT[:5], "val/dog/"], r"`validation` must hold images of every class\. Received: no image in .* 'dog'\."),
        ([*SPLIT, "test/fox/1.png"], r"pets: `test` must hold classes of `train` only\. Received: 'fox' too\."),
        ([*SPLIT, "val/fox/"], r"pets: `validation` must hold classes of `train` only\. Received: 'fox' too\."),
        ([*SIMPLE, "two\nlines/1.png"], r"folders whose names can be printed\. Received: 'two\\nlines'\."),
        ([*SIMPLE, "\udcff/1.png"], r"folders whose names can be printed\. Received: '\\udcff'\."),
    ],
    ids=[
        "empty", "one class", "a folder too many", "empty class", "loose image", "loose file", "other files",
        "many other files", "two layouts", "class called train", "no train", "upper case", "testing", "val and valid",
        "empty test", "class missing in test", "class empty in validation", "class in test only",
        "empty class in validation only", "newline", "not UTF-8",
    ],
)  # fmt: skip
def test_folders_that_are_no_data_set_are_refused(make, names, message):
    with pytest.raises(DataError, match=message):
        image_folder(path=make(*names))


@pytest.mark.parametrize(
    "classes, message",
    [
        (["cat"], r"`classes` must name every class of .*pets\. Received: no 'dog'\."),
        (["cat", "dog", "fox"], r"`classes` must name the class folders of .*pets only\. Received: 'fox' too\."),
        (["cat", "dog", "cat"], r"`classes` must name each class once\. Received: 'cat' twice\."),
        ([], r"`classes` must name every class"),
    ],
    ids=["missing", "unknown", "twice", "none"],
)
def test_class_names_must_be_those_of_the_folders(make, classes, message):
    with pytest.raises(DataError, match=message):
        image_folder(path=make(*SIMPLE), classes=classes)


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"none must be a folder with a folder .* Received: no such folder\."):
        image_folder(path=tmp_path / "none")


def test_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "pets.zip").touch()
    with pytest.raises(DataError, match=r"pets\.zip must be a folder .* Received: a file\."):
        image_folder(path=tmp_path / "pets.zip")


def test_link_that_leads_back_is_refused(make):
    path = make(*SIMPLE)
    (path / "cat" / "again").symlink_to(path / "cat")
    with pytest.raises(
        DataError, match=r"cat/again must not lead back to a folder that it is in\. Received: a link to"
    ):
        image_folder(path=path)


def test_link_to_itself_is_refused(make):
    path = make(*SIMPLE)
    (path / "cat" / "self").symlink_to(path / "cat" / "self")
    with pytest.raises(DataError, match=r"cat must be a folder that can be read\. Received: Too many levels of symb"):
        image_folder(path=path)


def test_folder_without_permission_is_refused(make, monkeypatch):
    path = make(*SIMPLE)
    scandir = os.scandir

    def refuse(folder):
        if folder == path / "dog":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"dog must be a folder that can be read\. Received: Permission denied\."):
        image_folder(path=path)


def test_nothing_is_written(make):
    path = make(*SPLIT)
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    source = image_folder(path=path)
    source.train.columns["image"].read(ImageSpec(2, 2, 3)).gather(np.arange(3))
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before

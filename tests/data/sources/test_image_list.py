"""Tests of `trainkit.data.sources.image_list`."""

from __future__ import annotations

import pytest
from PIL import Image

from trainkit.data.images import ImageFiles, ImageSpec
from trainkit.data.sources.image_list import image_list
from trainkit.errors import DataError


@pytest.fixture
def write(tmp_path):
    """Write a list, and an image for each of its lines."""

    def call(text, name="train.txt", *, images=True):
        filepath = tmp_path / "data" / name
        filepath.parent.mkdir(exist_ok=True)
        filepath.write_bytes(text if isinstance(text, bytes) else text.encode())
        for line in text.splitlines() if images and isinstance(text, str) else ():
            words = line.rsplit(maxsplit=1)
            if len(words) == 2 and not line.startswith("#"):
                image = filepath.parent / words[0].strip()
                image.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (2, 2)).save(image, "PNG")
        return filepath

    return call


def rows(records):
    images, labels = records.columns["image"], records.columns["label"]
    return [(images.original(row), str(labels.array[row])) for row in range(records.size)]


def test_lines_become_rows_in_their_order(write):
    source = image_list(train=write("b.png dog\nsub/a.png cat\n"))
    assert rows(source.train) == [("data/b.png", "dog"), ("data/sub/a.png", "cat")]
    assert (source.train.target, source.train.bad, source.validation, source.test) == ("label", {}, None, None)


def test_columns_are_image_files_and_class_names(write):
    columns = image_list(train=write("b.png dog\na.png cat\n")).train.columns
    assert isinstance(columns["image"], ImageFiles)
    assert columns["image"].read(ImageSpec(2, 2, 3)).array.shape == (2, 2, 2, 3)
    assert (columns["label"].field.dtype, columns["label"].field.classes) == ("string", ("cat", "dog"))
    assert columns["label"].original(1) == "train.txt, line 2"


@pytest.mark.parametrize(
    "text",
    [
        "# images of pets\n\nmy cat 1.png cat\n   \n#x.png fox\nTür.png dog",
        "my cat 1.png \tcat\r\nTür.png\tdog\r\n",
        "\ufeffmy cat 1.png cat\n  Tür.png   dog  \n",
    ],
    ids=["comments", "tabs and Windows", "byte order mark"],
)
def test_paths_may_hold_spaces_and_lines_may_be_skipped(write, text):
    write("my cat 1.png cat\nTür.png dog", "other.txt")
    source = image_list(train=write(text, images=False))
    assert rows(source.train) == [("data/my cat 1.png", "cat"), ("data/Tür.png", "dog")]
    assert source.train.bad == {}


def test_validation_and_test_lists_share_the_classes_of_train(write):
    train = write("1.png cat\n2.png dog\n3.png fox\n")
    source = image_list(train=train, validation=write("4.png dog\n", "v.txt"), test=write("5.png fox\n", "t.txt"))
    assert (rows(source.validation), rows(source.test)) == ([("data/4.png", "dog")], [("data/5.png", "fox")])
    assert source.test.columns["label"].field.classes == ("cat", "dog", "fox")


def test_classes_can_be_named_in_another_order(write):
    source = image_list(train=write("1.png cat\n2.png dog\n"), classes=["fox", "dog", "cat"])
    assert source.train.columns["label"].field.classes == ("fox", "dog", "cat")


def test_paths_start_from_the_root(write, tmp_path):
    write("sub/1.png cat\nsub/2.png dog\n")
    train = write("1.png cat\n2.png dog\n", "lists.txt", images=False)
    source = image_list(train=train, root=tmp_path / "data" / "sub")
    assert rows(source.train) == [("sub/1.png", "cat"), ("sub/2.png", "dog")]
    assert source.train.bad == {}


def test_absolute_paths_stay(write, tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "far.png")
    source = image_list(train=write(f"{tmp_path / 'far.png'} cat\n1.png dog\n"), root=tmp_path / "data" / "x" / "y")
    assert source.train.columns["image"].original(0) == str(tmp_path / "far.png")
    assert 0 not in source.train.bad


def test_missing_images_are_bad_rows(write, tmp_path):
    filepath = write("# pets\n1.png cat\n2.png dog\nsub dog\n")
    (tmp_path / "data" / "2.png").unlink()
    (tmp_path / "data" / "sub").unlink(missing_ok=True)
    (tmp_path / "data" / "sub").mkdir()
    assert image_list(train=filepath).train.bad == {
        1: "train.txt, line 3: data/2.png must be an image file. Received: no such file.",
        2: "train.txt, line 4: data/sub must be an image file. Received: a folder.",
    }


def test_image_may_be_listed_twice_with_one_class(write):
    assert image_list(train=write("1.png cat\n1.png cat\n2.png dog\n")).train.size == 3


@pytest.mark.parametrize(
    "text, message",
    [
        ("1.png cat\n\n2.png\n", r"train\.txt:3: must be a path and a class\. Received: '2\.png'\."),
        ("1.png cat\n2.png dog\na/../1.png dog\n", r"txt:3: .*1\.png must .* Received: 'dog', and 'cat' in line 1\."),
        ("1.png cat\nä.png dog\n".encode("latin-1"), r"txt:2: must be text in UTF-8\. Received: b'\\xe4'\. Save"),
        ("1.png cat\n".encode("utf-16"), r"train\.txt:1: must be text in UTF-8\. Received: b'\\xff'\."),
        ("# nothing\n\n", r"train\.txt must list an image and its class on each line\. Received: no image\."),
        ("", r"Received: no image\."),
        ("1.png cat\n2.png cat\n", r"train\.txt must hold two classes or more\. Received: 'cat'\."),
        (b"\0.png cat\nb.png dog\nc.png\n", r"train\.txt:3: must be a path and a class"),
    ],
    ids=["no label", "two labels", "Latin-1", "UTF-16", "comments only", "empty", "one class", "zero byte"],
)  # fmt: skip
def test_list_that_cannot_be_used_is_refused(write, text, message):
    with pytest.raises(DataError, match=message):
        image_list(train=write(text, images=False))


def test_path_that_no_system_allows_is_a_bad_row(write):
    records = image_list(train=write(b"\0.png cat\nb.png dog\n")).train
    assert list(records.bad) == [0, 1]
    assert list(dict(records.columns["image"].read(ImageSpec(2, 2, 3)).bad())) == [0, 1]


def test_class_that_is_not_learned_is_refused(write):
    train = write("1.png cat\n2.png dog\n")
    with pytest.raises(
        DataError, match=r"t\.txt:2: must be of a class of the training .*: 'cat', 'dog'\. Received: 'fox'"
    ):
        image_list(train=train, test=write("3.png cat\n4.png fox\n", "t.txt"))


def test_class_that_is_not_named_is_refused(write):
    with pytest.raises(DataError, match=r"train\.txt:2: must be of a class .*: 'cat', 'fox'\. Received: 'dog'\."):
        image_list(train=write("1.png cat\n2.png dog\n"), classes=["cat", "fox"])


def test_class_named_twice_is_refused(write):
    with pytest.raises(DataError, match=r"`classes` must name each class once\. Received: 'cat' twice\."):
        image_list(train=write("1.png cat\n2.png dog\n"), classes=["cat", "dog", "cat"])


@pytest.mark.parametrize("name, came", [("none.txt", "No such file"), ("", "Is a directory")], ids=["none", "a folder"])
def test_list_that_is_no_file_is_refused(tmp_path, name, came):
    with pytest.raises(DataError, match=rf"must be a text file that can be read\. Received: {came}"):
        image_list(train=tmp_path / name)

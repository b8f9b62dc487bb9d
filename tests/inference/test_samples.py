"""Images, tables and arrays as batches of inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainkit.data import Description, InputDescription
from trainkit.data.images import ImageSpec
from trainkit.errors import DataError, InputError
from trainkit.inference import samples
from trainkit.inference.samples import read_samples

CLASSES = {"kind": ("a", "b")}
PICTURE = Description({"image": InputDescription((2, 3, 3), "float32", ("image",), ImageSpec(2, 3, 3))}, CLASSES)
NUMBERS = InputDescription((2,), "float32", ("area", "rooms"))
POSTCODE = InputDescription((1,), "string", ("postcode",))
TABLE = Description({"numbers": NUMBERS, "postcode": POSTCODE}, CLASSES)
KEPT = Description({"numbers": InputDescription((2,), "float32", ("area", "rooms"), missing=True)}, CLASSES)
ARRAY = Description({"x": InputDescription((2,), "float32", ("x",))}, CLASSES)
ARRAYS = Description({"x": InputDescription((2,), "float32"), "y": InputDescription((), "float32")}, CLASSES)


def read(description, *paths):
    """All batches as one."""
    batches = list(read_samples(description, [Path(path) for path in paths]))
    inputs = {
        name: np.concatenate([batch.inputs[name] for batch in batches if batch.inputs]) for name in batches[0].inputs
    }
    unreadable = {name: reason for batch in batches for name, reason in batch.unreadable.items()}
    return [name for batch in batches for name in batch.names], inputs, unreadable


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The working directory, with a way to draw an image of one value."""
    monkeypatch.chdir(tmp_path)

    def draw(name, value):
        filepath = tmp_path / name
        filepath.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((2, 3, 3), value, np.uint8)).save(filepath)

    return draw


def test_images_come_in_the_order_of_the_paths_and_of_names_in_folders(here):
    for name, value in {"z.png": 1, "more/b.png": 3, "more/a/c.png": 2, "y.png": 4}.items():
        here(name, value)
    Path("more/notes.txt").write_text("no image")
    names, inputs, unreadable = read(PICTURE, "z.png", "more", "y.png")
    assert names == ["z.png", "more/a/c.png", "more/b.png", "y.png"]
    assert inputs["image"].dtype == np.float32
    assert inputs["image"][:, 0, 0, 0].tolist() == [1, 2, 3, 4]
    assert unreadable == {}


def test_arrays_and_images_keep_the_order_of_the_paths(here):
    here("a.png", 1)
    here("c.png", 3)
    np.save("b.npy", np.full((2, 2, 3, 3), 2, np.uint8))
    names, inputs, _ = read(PICTURE, "a.png", "b.npy", "c.png")
    assert names == ["a.png", "b.npy, row 0", "b.npy, row 1", "c.png"]
    assert inputs["image"][:, 0, 0, 0].tolist() == [1, 2, 2, 3]


def test_image_that_cannot_be_read_is_told(here):
    here("a.png", 1)
    here("b.png", 2)
    Path("cut.png").write_bytes(Path("a.png").read_bytes()[:50])
    Path("page.html").write_text("<html>")
    names, inputs, unreadable = read(PICTURE, "a.png", "cut.png", "page.html", "b.png")
    assert names == ["a.png", "cut.png", "page.html", "b.png"]
    assert inputs["image"][:, 0, 0, 0].tolist() == [1, 2]
    assert list(unreadable) == ["cut.png", "page.html"]
    assert "must be a whole, undamaged PNG image" in unreadable["cut.png"]
    assert "Received: a file that begins with b'<html>'" in unreadable["page.html"]


def test_images_come_in_batches(here, monkeypatch):
    monkeypatch.setattr(samples, "BATCH_SIZE", 2)
    for number in range(5):
        here(f"all/{number}.png", number)
    Path("all/2.png").write_bytes(b"")
    Path("all/3.png").write_bytes(b"")
    batches = list(read_samples(PICTURE, [Path("all")]))
    assert [len(batch.names) for batch in batches] == [2, 2, 1]
    assert [len(batch.inputs.get("image", ())) for batch in batches] == [2, 0, 1]


def test_large_images_come_in_smaller_batches(here, monkeypatch):
    monkeypatch.setattr(samples, "BATCH_BYTES", 3 * 4 * 18)
    for number in range(5):
        here(f"all/{number}.png", number)
    assert [len(batch.names) for batch in read_samples(PICTURE, [Path("all")])] == [3, 2]


def test_name_that_is_not_utf8_can_be_printed(here):
    here("a.png", 1)
    Path("a.png").rename("\udcff.png")
    (name,), _, _ = read(PICTURE, "\udcff.png")
    assert name.encode() == b"\\xff.png"


@pytest.mark.parametrize(
    "text",
    [
        "rooms,area,postcode\n2,100.5,X1\n3,80,Y2\n",
        "\ufeffrooms;area;note;postcode\n2;100.5;a,b,c,d;X1\n3;80;;Y2\n",
        '"rooms"\t"area"\t"postcode"\n2\t100.5\tX1\n3\t80\tY2\n',
        "price|rooms|area|postcode\nmany|2|100.5|X1\n|3|80|Y2\n",
    ],
    ids=["comma", "semicolon", "tab", "bar"],
)
def test_table_is_read_whatever_stands_between_cells(text, here):
    Path("new.csv").write_text(text)
    names, inputs, unreadable = read(TABLE, "new.csv")
    assert names == ["new.csv, line 2", "new.csv, line 3"]
    assert inputs["numbers"].tolist() == [[100.5, 2], [80, 3]]
    assert inputs["postcode"].tolist() == [["X1"], ["Y2"]]
    assert unreadable == {}


def test_row_that_cannot_be_read_is_told_once(here):
    Path("new.csv").write_text("area,rooms,postcode\n,2,X1\n1,2,\nabc,2,X1\ninf,2,X1\n1,2\n1,2,X1\n")
    names, inputs, unreadable = read(TABLE, "new.csv")
    assert names == [f"new.csv, line {line}" for line in range(2, 8)]
    assert inputs["numbers"].tolist() == [[1, 2]]
    told = [
        "column 'area' must have a value. Received: ''",
        "column 'postcode' must have a value. Received: ''",
        "column 'area' must be a number, as in the training file. Received: 'abc'",
        "column 'area' must be a finite number of 32 bits. Received: 'inf'",
        "must have 3 cells, one a column. Received: 2",
    ]
    assert [reason.split(".")[0] for reason in unreadable.values()] == [part.split(".")[0] for part in told]
    for reason, part in zip(unreadable.values(), told, strict=True):
        assert reason.startswith(part)


def test_missing_numbers_go_in_where_the_network_takes_care_of_them(here):
    Path("new.csv").write_text("area,rooms\n,2\n?,NA\n1,x\n")
    _, inputs, unreadable = read(KEPT, "new.csv")
    np.testing.assert_array_equal(inputs["numbers"], [[np.nan, 2], [np.nan, np.nan]])
    assert list(unreadable) == ["new.csv, line 4"]


def test_categories_that_nobody_knows_go_in(here):
    Path("new.csv").write_text("area,rooms,postcode\n1,2,never seen\n")
    assert read(TABLE, "new.csv")[1]["postcode"].tolist() == [["never seen"]]


def test_array_of_the_one_input_is_read(here):
    np.save("new.npy", np.array([[1, 2], [3, 4]]))
    names, inputs, unreadable = read(ARRAY, "new.npy")
    assert (names, inputs["x"].tolist(), unreadable) == (["new.npy, row 0", "new.npy, row 1"], [[1, 2], [3, 4]], {})


def test_array_of_each_input_is_read(here):
    np.savez("new.npz", y=np.array([5, 6]), x=np.array([[1, 2], [3, 4]]), other=np.zeros(9))
    _, inputs, _ = read(ARRAYS, "new.npz")
    assert {name: array.tolist() for name, array in inputs.items()} == {"x": [[1, 2], [3, 4]], "y": [5, 6]}


def test_missing_numbers_of_arrays_are_told(here):
    np.save("new.npy", np.array([[1, 2], [3, np.nan], [5, 6]]))
    _, inputs, unreadable = read(ARRAY, "new.npy")
    assert inputs["x"].tolist() == [[1, 2], [5, 6]]
    assert unreadable == {"new.npy, row 1": "'x' must be a finite number. Received: nan."}
    _, inputs, unreadable = read(Description({"x": InputDescription((2,), "float32", missing=True)}, {}), "new.npy")
    assert (len(inputs["x"]), unreadable) == (3, {})


WRITE = {
    "scalar.npy": lambda: np.save("scalar.npy", 3.0),
    "none.npy": lambda: np.save("none.npy", np.zeros((0, 2))),
    "objects.npy": lambda: np.save("objects.npy", np.array([1, "a"], object), allow_pickle=True),
    "text.npy": lambda: Path("text.npy").write_text("no array"),
    "empty.npz": lambda: Path("empty.npz").touch(),
    "cut.npz": lambda: (np.savez("cut.npz", x=np.zeros((9, 2)), y=np.zeros(9)), cut("cut.npz")),
    "other.npz": lambda: np.savez("other.npz", x=np.zeros((9, 2)), z=np.zeros(9)),
    "sizes.npz": lambda: np.savez("sizes.npz", x=np.zeros((9, 2)), y=np.zeros(8)),
    "other.csv": lambda: Path("other.csv").write_text("area;size\n1;2\n"),
    "header.csv": lambda: Path("header.csv").write_text("area,rooms,postcode\n"),
    "a.png": lambda: Path("a.png").write_bytes(b""),
    "folder": lambda: Path("folder").mkdir(),
}


def cut(name):
    Path(name).write_bytes(Path(name).read_bytes()[:200])


@pytest.mark.parametrize(
    ("description", "name", "told"),
    [
        (ARRAY, "scalar.npy", r"must have one sample or more, as many each\. Received: samples=\{'x': 0\}"),
        (ARRAY, "none.npy", r"must have one sample or more, as many each\. Received: samples=\{'x': 0\}"),
        (
            ARRAY,
            "objects.npy",
            r"objects\.npy must be a whole \.npy file of arrays\. Received: Python objects, which",
        ),
        (ARRAY, "text.npy", r"text\.npy must be a whole \.npy file of arrays\. Received: This file contains pickled"),
        (ARRAYS, "empty.npz", r"empty\.npz must be a whole \.npz file of arrays\. Received: No data left"),
        (ARRAYS, "cut.npz", r"cut\.npz must be a whole \.npz file of arrays\. Received: File is not a zip file"),
        (ARRAYS, "other.npz", r"other\.npz must hold the arrays x, y\. Received: x, z: no 'y'"),
        (ARRAYS, "sizes.npz", r"as many each\. Received: samples=\{'x': 9, 'y': 8\}"),
        (ARRAYS, "none.npy", r"^a \.npy file is one input; the model takes a \.npz file with the arrays x, y\."),
        (TABLE, "other.csv", r"other\.csv must have the columns area, rooms, postcode\. Received: no 'rooms'"),
        (TABLE, "header.csv", "Received: a header alone"),
        (
            TABLE,
            "a.png",
            "an image file is one input; the model takes a CSV file with the columns area, rooms, postcode",
        ),
        (KEPT, "a.png", r"'numbers' is no image: the model takes a CSV file .* area, rooms\. Received: 'a\.png'"),
        (PICTURE, "header.csv", r"is for no table: it takes image files\. Received: 'header\.csv'"),
        (ARRAY, "header.csv", r"is for no table: it takes a \.npz file with the arrays x\."),
        (PICTURE, "folder", r"must be folders with images\. Received: 'folder', which has none"),
        (PICTURE, "nowhere.png", r"must be files or folders\. Received: 'nowhere\.png', which does not exist"),
    ],
    ids=[
        *("scalar", "no-sample", "objects", "text", "empty", "cut", "other-names", "sizes", "one-array"),
        *("columns", "header", "image-for-two", "image-for-table", "table-for-image", "table-for-array"),
        *("no-image", "missing"),
    ],
)
def test_what_is_no_input_is_told(description, name, told, here):
    WRITE.get(name, lambda: None)()
    with pytest.raises((InputError, DataError), match=told):
        read(description, name)


def test_path_that_is_missing_is_told_before_the_others_are_read(here):
    np.save("new.npy", np.zeros((3, 2)))
    with pytest.raises(InputError, match=r"Received: 'nowhere\.npy', which does not exist"):
        next(read_samples(ARRAY, [Path("new.npy"), Path("nowhere.npy")]))

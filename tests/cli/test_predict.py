"""`trainkit predict`: the table, the file, errors."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import trainkit


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """The working directory, with images whose names are hard to write as CSV."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(7)
    Path("photos").mkdir()
    for name in ('a "b".png', "c, d.png", "e.png"):
        Image.fromarray(random.integers(0, 256, (30, 40, 3), np.uint8)).save(Path("photos", name))
    return Path("photos")


def test_predict_shows_a_row_a_sample(command, small_run, photos):
    ended = command("predict", small_run.directory, "photos/e.png", "photos/c, d.png", "--top", 2)
    assert (ended.code, ended.err) == (0, "")
    header, *rows = ended.out.splitlines()
    assert header.split() == ["sample", "class", "probability", "class_2", "probability_2"]
    assert [row.rsplit(maxsplit=4)[0].strip() for row in rows] == ["photos/e.png", "photos/c, d.png"]
    expected = next(trainkit.predict(small_run.directory, photos / "e.png")).classes["digit"][0]
    assert rows[0].split()[1:3] == [expected[0], f"{expected[1]:.4g}"]


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_predict_writes_a_file(suffix, command, small_run, photos):
    output = Path(f"answers{suffix}")
    output.write_text("old")
    ended = command("predict", small_run.directory, "photos", "--output", output)
    assert (ended.code, ended.out, ended.err) == (0, f"{output}: 3 predictions\n", "")
    text = output.read_text()
    rows = json.loads(text) if suffix == ".json" else list(csv.DictReader(text.splitlines()))
    expected = list(trainkit.predict(small_run.directory, "photos"))
    assert [row["sample"] for row in rows] == [prediction.sample for prediction in expected]
    answered = [row["classes"]["digit"][0] for row in rows] if suffix == ".json" else [[r["class"]] for r in rows]
    assert [answer[0] for answer in answered] == [prediction.classes["digit"][0][0] for prediction in expected]


def test_predict_tells_samples_that_cannot_be_read(command, small_run, photos):
    Path("photos/b.png").write_bytes(b"no image")
    Path("photos/e.png").rename("photos/\udcff.png")
    ended = command("predict", small_run.directory, "photos")
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 1 + 3
    assert ended.err.startswith("no answer: photos/b.png: must be a PNG, JPEG, BMP, GIF or WebP image.")


def test_predict_ends_with_1_where_nothing_can_be_answered(command, small_run, photos):
    for filepath in photos.iterdir():
        filepath.write_bytes(b"no image")
    ended = command("predict", small_run.directory, "photos", "--output", "answers.csv")
    assert ended.code == 1
    assert ended.err.count("no answer: photos/") == 3
    assert ended.err.splitlines()[-1] == "error: none of 3 samples could be answered."
    assert len(Path("answers.csv").read_text().splitlines()) == 1 + 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["photos", "--output", "answers.txt"], "`output` must end with .csv or .json. Received: 'answers.txt'"),
        (["photos", "--output", "none/answers.csv"], "none/answers.csv cannot be written: there is no folder"),
        (["photos", "--output", "photos"], "must end with .csv or .json"),
    ],
    ids=["suffix", "folder", "is-folder"],
)
def test_predict_refuses_an_output_before_the_work(arguments, told, command, small_run, photos, monkeypatch):
    monkeypatch.setattr("trainkit.inference.predict.locate", lambda *_, **__: pytest.fail("has begun"))
    ended = command("predict", small_run.directory, *arguments)
    assert ended.code == 2
    assert told in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.png"], "'nowhere.png', which does not exist"),
        (["new.csv"], "the model is for no table: it takes image files"),
        (["photos", "--top", "0"], "`top` must be at least 1. Received: top=0"),
        (["photos", "--data", "nowhere.yaml"], "the file does not exist"),
        ([], "Missing argument 'INPUT"),
    ],
    ids=["missing", "table", "top", "data", "no-input"],
)
def test_predict_ends_with_2_where_the_input_is_wrong(arguments, told, command, small_run, photos):
    Path("new.csv").write_text("a,b\n1,2\n")
    ended = command("predict", small_run.directory, *arguments)
    assert ended.code == 2
    assert told in ended.err

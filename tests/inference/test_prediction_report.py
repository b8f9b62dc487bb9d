"""Predictions for a person, and as a file."""

from __future__ import annotations

import csv
import json

import pytest

from trainkit.errors import OutputError, PredictionError
from trainkit.inference.predict import Prediction
from trainkit.inference.prediction_report import print_predictions, write_predictions

SURE = Prediction("a.png", {"kind": [("cat [red]", 0.123456789)]})
BAD = Prediction("b [x].png", error="must be an image.")
TOLD = "no answer: b [x].png: must be an image.\n"


def test_predictions_are_printed_as_a_table_with_errors_apart(capsys):
    print_predictions([SURE, BAD, Prediction("c.png", {"kind": [("dog", 1.0)]})])
    told = capsys.readouterr()
    rows = [line.split() for line in told.out.splitlines()]
    assert rows == [
        ["sample", "class", "probability"],
        ["a.png", "cat", "[red]", "0.1235"],
        ["c.png", "dog", "1"],
    ]
    assert told.err == TOLD


def test_long_names_are_printed_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    name = "folder/" * 15 + "end.png"
    print_predictions([Prediction(name, {"kind": [("c" * 70, 0.5), ("d" * 70, 0.25)]})])
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert (printed.count("c"), printed.count("d")) == (70 + 2, 70 + 15 + 1)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_predictions_are_written_whole(suffix, capsys, tmp_path):
    filepath = tmp_path / f"answers{suffix}"
    filepath.write_text("old")
    write_predictions(filepath, [SURE, BAD])
    told = capsys.readouterr()
    assert told.out == f"{filepath}: 2 predictions\n"
    assert told.err == TOLD
    text = filepath.read_text()
    rows = json.loads(text) if suffix == ".json" else list(csv.DictReader(text.splitlines()))
    assert [(row["sample"], row["error"]) for row in rows] == [("a.png", ""), ("b [x].png", "must be an image.")]
    assert [path.name for path in tmp_path.iterdir()] == [filepath.name]


def test_file_that_cannot_be_written_stays(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    filepath = tmp_path / "answers.csv"
    filepath.write_text("old")
    monkeypatch.setattr("trainkit.runs.atomic.os.replace", full)
    with pytest.raises(OutputError, match=r"answers\.csv cannot be written: No space left on device"):
        write_predictions(filepath, [SURE])
    assert filepath.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]


@pytest.mark.parametrize(
    "report", [print_predictions, lambda rows, path: write_predictions(path, rows)], ids=["table", "file"]
)
def test_no_answer_at_all_is_an_error(report, capsys, tmp_path):
    arguments = [[BAD, BAD]] if report is print_predictions else [[BAD, BAD], tmp_path / "answers.csv"]
    with pytest.raises(PredictionError, match=r"none of 2 samples could be answered\.") as caught:
        report(*arguments)
    assert caught.value.exit_code == 1
    assert capsys.readouterr().err == TOLD * 2

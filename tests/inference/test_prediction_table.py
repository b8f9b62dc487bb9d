"""Predictions as rows."""

from __future__ import annotations

import csv
import io
import json

import pytest

from trainkit.inference.predict import Prediction
from trainkit.inference.prediction_table import to_csv, to_json, to_row

SURE = Prediction("a.png", {"kind": [("cat", 0.75)]})
BAD = Prediction("b.png", error="must be an image.")


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        (SURE, {"sample": "a.png", "class": "cat", "probability": 0.75, "error": ""}),
        (
            Prediction("a", {"kind": [("cat", 0.75), ("dog", 0.25)]}),
            {
                "sample": "a",
                "class": "cat",
                "probability": 0.75,
                "class_2": "dog",
                "probability_2": 0.25,
                "error": "",
            },
        ),
        (Prediction("a", numbers={"price": [2.5]}), {"sample": "a", "price": 2.5, "error": ""}),
        (Prediction("a", numbers={"size": [1.0, 2.0]}), {"sample": "a", "size_0": 1.0, "size_1": 2.0, "error": ""}),
        (
            Prediction("a", {"kind": [("cat", 0.75)], "age": [("old", 0.5)]}, {"price": [2.5]}),
            {
                "sample": "a",
                "kind_class": "cat",
                "kind_probability": 0.75,
                "age_class": "old",
                "age_probability": 0.5,
                "price": 2.5,
                "error": "",
            },
        ),
        (Prediction("a", numbers={"sample": [3.0]}), {"sample": "a", "sample_0": 3.0, "error": ""}),
        (Prediction("a", numbers={"error": [3.0]}), {"sample": "a", "error_0": 3.0, "error": ""}),
        (BAD, {"sample": "b.png", "error": "must be an image."}),
    ],
    ids=["class", "top", "number", "numbers", "several", "called-sample", "called-error", "error"],
)
def test_row_has_a_column_for_each_answer(prediction, expected):
    assert to_row(prediction) == expected
    assert list(to_row(prediction)) == list(expected)


def test_csv_has_the_columns_of_all_rows_with_the_error_last():
    assert to_csv([BAD, SURE]) == "sample,class,probability,error\nb.png,,,must be an image.\na.png,cat,0.75,\n"


def test_csv_keeps_commas_quotes_and_line_ends():
    names = ["ape, great", 'cat "Tom"', "two\nlines", " spaced ", "été"]
    written = to_csv(Prediction(f"photos/{name}", {"kind": [(name, 1.0)]}) for name in names)
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    assert [row["sample"] for row in rows] == [f"photos/{name}" for name in names]
    assert [row["class"] for row in rows] == names


def test_json_holds_every_prediction():
    written = to_json([SURE, BAD, Prediction("été", numbers={"price": [0.1]})])
    assert "été" in written
    assert [item["sample"] for item in json.loads(written)] == ["a.png", "b.png", "été"]
    assert json.loads(written)[0] == {
        "sample": "a.png",
        "classes": {"kind": [["cat", 0.75]]},
        "numbers": {},
        "error": "",
    }
    assert json.loads(to_json([])) == []

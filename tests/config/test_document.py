"""A configuration as plain data: where each value stands, and what Python may put in."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import numpy as np
import pytest

from trainkit.config.document import Document, format_path
from trainkit.errors import ConfigError, Place


@pytest.fixture
def document():
    return Document(
        source="a.yaml",
        data={"model": {"layers": [{"Dense": {"units": 3}}]}},
        directory=Path("/configs"),
        keys={("model",): Place(1, 1), ("model", "layers"): Place(2, 3)},
        values={(): Place(1, 1), ("model",): Place(2, 3), ("model", "layers", 0): Place(3, 7)},
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("seed",), "seed"),
        (("model", "layers", 2, "Conv2D", "filters"), "model.layers[2].Conv2D.filters"),
        (("input", 0, 1), "input[0][1]"),
    ],
    ids=["top", "key", "layer", "indices"],
)
def test_format_path_writes_keys_and_indices(path, text):
    assert format_path(path) == text


def test_place_is_that_of_the_key_or_value_or_what_holds_it(document):
    assert document.place(("model", "layers"), of_key=True) == Place(2, 3)
    assert document.place(("model", "layers", 0)) == Place(3, 7)
    assert document.place(("model", "layers", 0, "Dense", "units")) == Place(3, 7)
    assert document.place(("model", "layers", 9)) == Place(2, 3)
    assert document.place(("nowhere",)) == Place(1, 1)


def test_place_is_none_where_nothing_is_written():
    assert Document.from_mapping({"a": 1}).place(("a",)) is None


def test_error_names_file_place_and_path(document):
    error = document.error(("model", "layers", 0, "Dense", "units"), "must be more.")
    assert str(error) == "a.yaml: 1 problem\n  3:7    model.layers[0].Dense.units: must be more."


def test_problem_is_called_by_the_override_that_set_the_value(document):
    place = Place(override="model.layers.dense1.units")
    document.values["model", "layers", 0, "Dense", "units"] = place
    problem = document.problem(("model", "layers", 0, "Dense", "units"), "must be more.")
    assert str(problem) == "command line: model.layers.dense1.units: must be more."
    inside = document.problem(("model", "layers", 0, "Dense", "units", 1), "must be more.")
    assert str(inside) == "command line: model.layers.dense1.units model.layers[0].Dense.units[1]: must be more."


def test_base_directory_is_the_current_one_for_overrides(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document.values["data", "path"] = Place(override="data.path")
    assert document.base_directory(("data", "path")) == tmp_path
    assert document.base_directory(("data",)) == Path("/configs")


class Colour(str, Enum):  # noqa: UP042 - str() of one is not its text
    RED = "red"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((28, 28, 1), [28, 28, 1]),
        (np.int64(3), 3),
        (np.uint8(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("relu"), "relu"),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (Path("/data/mnist"), "/data/mnist"),
        (Colour.RED, "red"),
        ({"a": {"b": (1, None)}}, {"a": {"b": [1, None]}}),
        ({1: 2}, {"1": 2}),
        (True, True),
        (None, None),
    ],
    ids=[
        "tuple",
        "int64",
        "uint8",
        "float32",
        "float64",
        "bool",
        "str",
        "array",
        "path",
        "enum",
        "deep",
        "key",
        "true",
        "none",
    ],
)
def test_from_mapping_makes_plain_data(value, plain):
    data = Document.from_mapping({"value": value}).data
    assert data == {"value": plain}
    assert type(data["value"]) is type(plain)


def test_from_mapping_copies():
    given = {"model": {"input": [28]}}
    Document.from_mapping(given).data["model"]["input"][0] = 3
    assert given == {"model": {"input": [28]}}


def test_from_mapping_lists_everything_that_yaml_cannot_hold():
    with pytest.raises(ConfigError, match="config: 4 problems") as caught:
        Document.from_mapping({"a": {1, 2}, "b": [0, object()], "c": b"x", "d": 10**100})
    assert [problem.path for problem in caught.value.problems] == ["a", "b[1]", "c", "d"]
    assert str(caught.value.problems[0]) == (
        "a: must be a text, a number of at most 100 digits, true, false, null, a list or a mapping. Received: set."
    )


def test_from_mapping_refuses_what_holds_itself():
    endless = []
    endless += [endless, endless]
    with pytest.raises(ConfigError, match="values are nested more than 100 levels deep"):
        Document.from_mapping({"a": endless})

"""Tests of `trainkit.data.description`."""

from __future__ import annotations

import json

import pytest

from trainkit.data import Description, Facts, Field, InputDescription, describe
from trainkit.data.images import ImageSpec

TARGETS = {"digit": Field((), "int32", ("a", "b"))}
IMAGE = InputDescription((2, 2, 1), "float32", ("image",), ImageSpec(2, 2, 1, "area", False, "pad"))


def test_image_is_described_by_its_size(make_config):
    config = make_config(data__resize={"method": "area", "antialias": False, "fit": "pad"})
    field = Field((2, 2, 1), value_range=(0.0, 255.0), columns=("image",))
    assert describe(config.experiment, Facts({"input": field}, TARGETS)) == Description(
        {"input": IMAGE}, {"digit": ("a", "b")}
    )


def test_image_has_the_usual_size_where_the_config_says_nothing(make_config):
    facts = Facts({"input": Field((2, 2, 1), value_range=(0.0, 255.0))}, TARGETS)
    assert describe(make_config().experiment, facts).inputs["input"].image == ImageSpec(2, 2, 1)


@pytest.mark.parametrize(
    "shape, field",
    [
        ([4], Field((4,), columns=("a", "b", "c", "d"))),
        ([2, 2, 1], Field((2, 2, 1))),
        ([None, 2, 1], Field((5, 2, 1), value_range=(0.0, 255.0))),
        ([2, 2, 2], Field((2, 2, 2), value_range=(0.0, 255.0))),
    ],
    ids=["features", "no bytes", "open", "two channels"],
)
def test_what_is_no_image_file_has_a_shape_only(make_config, shape, field):
    described = describe(make_config(model__input=shape).experiment, Facts({"input": field}, TARGETS))
    assert described.inputs == {"input": InputDescription(field.shape, "float32", field.columns)}


def test_each_input_and_output_is_described(make_config):
    config = make_config(
        model__input=...,
        model__inputs={"left": {"shape": [2]}, "right": {"shape": [1], "dtype": "string"}},
        model__layers=[{"Dense": {"units": 2}, "inputs": "left", "name": "digit"}],
    )
    facts = Facts({"left": Field((2,)), "right": Field((1,), "string")}, TARGETS | {"size": Field((1,))})
    assert describe(config.experiment, facts) == Description(
        {"left": InputDescription((2,), "float32"), "right": InputDescription((1,), "string")},
        {"digit": ("a", "b"), "size": None},
    )


def test_json_holds_everything():
    description = Description(
        {"left": IMAGE, "right": InputDescription((2,), "int64", ("a", "b")), "text": InputDescription((1,), "string")},
        {"digit": ("a", "b"), "size": None},
    )
    assert Description.from_json(json.loads(json.dumps(description.to_json()))) == description


def test_json_is_what_an_app_needs():
    description = Description({"input": IMAGE, "row": InputDescription((2,), "float32", ("a", "b"))}, {"digit": None})
    assert description.to_json() == {
        "inputs": {
            "input": {
                "shape": [2, 2, 1],
                "dtype": "float32",
                "columns": ["image"],
                "image": {
                    "height": 2,
                    "width": 2,
                    "channels": 1,
                    "method": "area",
                    "antialias": False,
                    "fit": "pad",
                    "range": [0, 255],
                    "orientation": "EXIF orientation applied",
                },
            },
            "row": {"shape": [2], "dtype": "float32", "columns": ["a", "b"]},
        },
        "outputs": {"digit": {"classes": None}},
    }


@pytest.mark.parametrize(
    "missing, expected", [("keep", True), ("drop", False), ("fail", False)], ids=["keep", "drop", "fail"]
)
def test_input_says_whether_the_network_takes_care_of_missing_numbers(make_config, missing, expected):
    config = make_config(model__input=[2], data__source={"Csv": {"path": "a.csv", "missing": missing}})
    described = describe(config.experiment, Facts({"input": Field((2,), columns=("a", "b"))}, TARGETS))
    assert described.inputs["input"].missing is expected
    assert described.to_json()["inputs"]["input"].get("missing", False) is expected
    assert Description.from_json(described.to_json()) == described


@pytest.mark.parametrize(
    "loss, expected",
    [
        ({"BinaryCrossentropy": {"from_logits": True}}, ("digit",)),
        ({"BinaryCrossentropy": {"from_logits": False}}, ()),
        ("BinaryCrossentropy", ()),
        ({"digit": {"SparseCategoricalCrossentropy": {"from_logits": True}}}, ("digit",)),
    ],
    ids=["logits", "no logits", "default", "by output"],
)
def test_output_is_logits_where_its_loss_says_so(make_config, loss, expected):
    config = make_config(model__input=[2], training__loss=loss)
    described = describe(config.experiment, Facts({"input": Field((2,))}, TARGETS))
    assert described.logits == expected
    assert described.to_json()["outputs"]["digit"].get("logits", False) is bool(expected)
    assert Description.from_json(described.to_json()) == described

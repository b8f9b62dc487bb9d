"""Every predictor keeps the contract of its kind, in this process and in a child."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from trainkit.errors import InputError, PredictionError
from trainkit.inference import PREDICTORS, IsolatedPredictor, TensorFacts, open_predictor

ENDS = {name: name if name.startswith(".") else "_saved_model" for name in PREDICTORS}
SUFFIXES = sorted(ENDS.values())


OPENERS = {"here": open_predictor, "child": IsolatedPredictor}
WAYS = [
    pytest.param((OPENERS[place], suffix), id=f"{suffix}-{place}", marks=[pytest.mark.slow] * is_slow)
    for suffix in SUFFIXES
    for place in OPENERS
    for is_slow in [place == "child" and suffix in (".h5", ".tkz")]  # that of .keras is tested
]


@pytest.fixture(params=SUFFIXES)
def suffix(request):
    return request.param


@pytest.fixture(scope="module", params=WAYS)
def predictor(request, models):
    """The file of `one` in every format, opened in every way."""
    opener, suffix = request.param
    return opener(models.folder / f"one{suffix}")


def test_predictors_are_those_of_the_formats():
    assert sorted(PREDICTORS) == [".h5", ".keras", ".onnx", ".tflite", ".tkz", "saved_model.pb"]


def test_one_output_is_that_of_keras(predictor, models, one):
    outputs = predictor.predict(one)
    assert list(outputs) == ["digit"]
    assert outputs["digit"].dtype == np.float32
    np.testing.assert_allclose(outputs["digit"], models.one(one["input"]).numpy(), atol=1e-6)


def test_two_outputs_are_those_of_keras_by_name(suffix, models, two):
    outputs = open_predictor(models.folder / f"two{suffix}").predict({"right": two["right"], "left": two["left"]})
    total, share = models.two([two["left"], two["right"]])
    assert outputs.keys() == {"total", "share"}
    np.testing.assert_allclose(outputs["total"], total.numpy(), atol=1e-6)
    np.testing.assert_allclose(outputs["share"], share.numpy(), atol=1e-6)


def test_description_has_names_shapes_and_dtypes(predictor):
    assert predictor.inputs == {"input": TensorFacts((None, 4, 3), "float32")}
    assert predictor.outputs == {"digit": TensorFacts((None, 5), "float32")}
    assert json.loads(json.dumps(predictor.facts))["inputs"]["input"]["shape"] == [None, 4, 3]


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float64"])
def test_other_numbers_are_taken(dtype, suffix, models):
    values = np.arange(24).reshape(2, 4, 3)
    outputs = open_predictor(models.folder / f"one{suffix}").predict({"input": values.astype(dtype)})
    np.testing.assert_allclose(outputs["digit"], models.one(values.astype(np.float32)).numpy(), atol=1e-6)


def test_more_samples_than_a_batch_are_answered_in_order(suffix, models):
    values = np.random.default_rng(1).normal(size=(600, 4, 3)).astype(np.float32)
    outputs = open_predictor(models.folder / f"one{suffix}").predict({"input": values})
    np.testing.assert_allclose(outputs["digit"], models.one(values).numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"image": np.zeros((2, 4, 3))}, r"`inputs` must have the names \['input'\]. Received: \['image'\]."),
        ({}, r"`inputs` must have the names \['input'\]. Received: \[\]."),
        ({"input": np.zeros((2, 4))}, r"`input` must have the shape \(samples, 4, 3\). Received: shape \(2, 4\)."),
        ({"input": np.zeros((4, 3))}, r"`input` must have the shape \(samples, 4, 3\). Received: shape \(4, 3\)."),
        ({"input": np.full((2, 4, 3), "x")}, r"`input` must hold numbers. Received: dtype <U1."),
        ({"input": np.zeros((0, 4, 3))}, r"`inputs` must have one sample or more, as many each."),
    ],
    ids=["name", "none", "shape", "no batch", "text", "empty"],
)
def test_wrong_input_is_an_input_error(inputs, told, suffix, models):
    with pytest.raises(InputError, match=told):
        open_predictor(models.folder / f"one{suffix}").predict(inputs)


def test_as_many_samples_of_each_input_are_asked_for(suffix, models, two):
    with pytest.raises(InputError, match=r"as many each\. Received: samples=\{'left': 3, 'right': 7\}\."):
        open_predictor(models.folder / f"two{suffix}").predict(two | {"left": two["left"][:3]})


@pytest.mark.parametrize("way", WAYS)
def test_something_else_is_a_prediction_error_with_the_name(way, tmp_path):
    opener, suffix = way
    filepath = tmp_path / f"letter{suffix}"
    if suffix == "_saved_model":
        filepath.mkdir()
    (filepath / "saved_model.pb" if filepath.is_dir() else filepath).write_text("Dear Sir or Madam, " * 20)
    with pytest.raises(PredictionError, match=rf"^letter{re.escape(suffix)} cannot be opened by \w+"):
        opener(filepath)


@pytest.mark.parametrize("way", WAYS)
def test_missing_file_is_an_input_error(way, tmp_path):
    opener, suffix = way
    with pytest.raises(InputError, match=rf"Received: '\S*none{re.escape(suffix)}', which does not exist\."):
        opener(tmp_path / f"none{suffix}")


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS)
def test_unknown_suffix_is_an_input_error(opener, tmp_path):
    (tmp_path / "model.pb").touch()
    with pytest.raises(InputError, match=r"must end with one of \.keras, \.h5, \.tkz, \.tflite, \.onnx\. Received: "):
        opener(tmp_path / "model.pb")

"""Raw columns for a file that takes ids and filled numbers: numbers from arithmetic on paper."""

from __future__ import annotations

import json

import numpy as np
import pytest

import trainkit
from trainkit.errors import InputError, PredictionError
from trainkit.framework import tf
from trainkit.inference import IsolatedPredictor, TensorFacts, open_predictor, predict_isolated
from trainkit.inference.preprocess import Column, Preprocess, read_preprocess
from trainkit.inference.steps import STEPS, FillMissing, Lookup, Normalize

layers = tf.keras.layers
NAN = np.nan
WRITTEN = {
    "version": 1,
    "inputs": {
        "island": {
            "dtype": "string",
            "shape": [1],
            "steps": [{"lookup": {"vocabulary": ["Biscoe", "Dream"], "offset": 1, "default": 0, "mask": None}}],
        },
        "numbers": {
            "dtype": "float32",
            "shape": [2],
            "steps": [
                {"fill_missing": {"values": [3.0, 5.0]}},
                {"normalize": {"subtract": [1.0, 1.0], "divide_by": [2.0, 4.0]}},
            ],
        },
    },
    "files": ["penguins.tflite"],
}


@pytest.mark.parametrize(
    ("lookup", "expected"),
    [
        (Lookup(("a", "b"), offset=1, default=0), [1, 2, 0, 0]),
        (Lookup(("a", "b"), offset=2, default=1, mask=""), [2, 3, 1, 0]),
        (Lookup(("a", "b", "?", "")), [0, 1, 2, 3]),
    ],
    ids=["unknown", "mask", "all known"],
)
def test_category_becomes_its_id(lookup, expected):
    ids = lookup.apply(np.array([["a"], ["b"], ["?"], [""]]))
    assert ids.dtype == np.int32
    assert ids.tolist() == [[value] for value in expected]


def test_whole_part_of_a_number_is_looked_up():
    lookup = Lookup((7, -3), offset=2, default=1, mask=0)
    assert lookup.apply(np.array([[7.9, -3.2, 0.5, 8.0, NAN]], np.float32)).tolist() == [[2, 3, 0, 1, 1]]


def test_unknown_category_is_an_input_error_where_there_must_be_none():
    with pytest.raises(InputError, match=r"a category must be one of \['a', 'b'\]\. Received: 'c'\."):
        Lookup(("a", "b")).apply(np.array(["a", "c"]))


def test_missing_number_is_filled():
    filled = FillMissing((3.0, 5.0)).apply(np.array([[NAN, 1], [2, NAN]], np.float64))
    assert filled.dtype == np.float32
    assert filled.tolist() == [[3, 1], [2, 5]]


def test_number_is_normalized():
    normal = Normalize((1.0, 2.0), (2.0, 0.5)).apply(np.array([[5, 3]]))
    assert normal.dtype == np.float32
    assert normal.tolist() == [[2, 2]]


def test_steps_are_those_of_the_file_format():
    assert list(STEPS) == ["lookup", "fill_missing", "normalize"]


def test_json_is_read_and_written():
    preprocess = Preprocess.from_json(WRITTEN)
    assert json.loads(json.dumps(preprocess.to_json())) == WRITTEN
    assert preprocess.inputs["numbers"] == Column(
        "float32", (2,), (FillMissing((3.0, 5.0)), Normalize((1.0, 1.0), (2.0, 4.0)))
    )


def test_other_inputs_stay():
    outputs = Preprocess.from_json(WRITTEN).apply({"island": np.array([["Dream"]]), "age": np.array([[4]])})
    assert {name: array.tolist() for name, array in outputs.items()} == {"island": [[2]], "age": [[4]]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A .tflite that adds up `island`, an id, and the two `numbers`; `preprocess.json` names it."""
    island, numbers = tf.keras.Input((1,), dtype=tf.int32, name="island"), tf.keras.Input((2,), name="numbers")
    both = layers.Concatenate()([tf.cast(island, tf.float32), numbers])
    model = tf.keras.Model([island, numbers], layers.Dense(1, kernel_initializer="ones", name="total")(both))
    folder = tmp_path_factory.mktemp("penguins")
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    for name in ("penguins", "other"):
        (folder / f"{name}.tflite").write_bytes(content)
    (folder / "preprocess.json").write_text(json.dumps(WRITTEN))
    return folder


RAW = {"island": np.array([["Dream"], ["Mars"]]), "numbers": np.array([[NAN, 9], [1, NAN]])}
TOTALS = [[2 + 1 + 2], [0 + 0 + 1]]


@pytest.mark.parametrize("opener", [open_predictor, IsolatedPredictor], ids=["here", "child"])
def test_predictor_takes_raw_columns(opener, folder):
    predictor = opener(folder / "penguins.tflite")
    assert predictor.inputs == {
        "island": TensorFacts((None, 1), "string"),
        "numbers": TensorFacts((None, 2), "float32"),
    }
    assert predictor.predict(RAW)["total"].tolist() == TOTALS
    assert predictor.facts["file_inputs"]["island"]["dtype"] == "int32"


@pytest.mark.parametrize(
    "texts",
    [RAW["island"].astype(object), RAW["island"].astype("S"), np.array([[b"Dream"], ["Mars"]], object)],
    ids=["objects", "bytes", "both"],
)
@pytest.mark.parametrize("runtime", [None, "TensorFlow Lite"], ids=["LiteRT", "TensorFlow Lite"])
def test_texts_get_into_the_child(runtime, texts, folder):
    result = predict_isolated(folder / "penguins.tflite", RAW | {"island": texts}, runtime=runtime)
    assert result.outputs["total"].tolist() == TOTALS


@pytest.mark.parametrize("trusted", [False, True], ids=["child", "here"])
def test_loaded_model_takes_a_row(trusted, folder):
    model = trainkit.load(folder / "penguins.tflite", trusted=trusted)
    assert model({"island": ["Biscoe"], "numbers": [NAN, 5]}).tolist() == [1 + 1 + 1]


def test_file_that_is_not_named_takes_what_it_holds(folder):
    assert read_preprocess(folder / "other.tflite") is None
    assert open_predictor(folder / "other.tflite").inputs["island"].dtype == "int32"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"island": np.array([[1], [2]])}, r"`island` must hold texts\. Received: dtype int64\."),
        ({"island": np.array([["a"], [NAN]], object)}, r"`island` must hold texts\. Received: nan\."),
        ({"island": np.array(["a", "b"])}, r"`island` must have the shape \(samples, 1\)\. Received: shape \(2,\)\."),
        ({"numbers": np.array([["1", "2"]] * 2)}, r"`numbers` must hold numbers\. Received: dtype <U1\."),
    ],
    ids=["number", "missing", "shape", "text"],
)
def test_wrong_column_is_an_input_error(changes, told, folder):
    with pytest.raises(InputError, match=told):
        open_predictor(folder / "penguins.tflite").predict(RAW | changes)


def test_object_that_is_no_text_does_not_get_into_the_child(folder):
    with pytest.raises(InputError, match=r"a text must be one\. Received: None\."):
        predict_isolated(folder / "penguins.tflite", RAW | {"island": np.array([["a"], [None]], object)})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps(WRITTEN | {"version": 2}),
        json.dumps(WRITTEN | {"inputs": {"island": {"dtype": "string", "shape": [1], "steps": [{"hash": {}}]}}}),
        json.dumps(WRITTEN | {"inputs": {"island": {"dtype": "string", "shape": [1], "steps": [{"lookup": {}}]}}}),
        json.dumps(WRITTEN | {"inputs": 3}),
    ],
    ids=["empty", "list", "keys", "version", "step", "arguments", "number"],
)
def test_damaged_description_is_told(text, folder, tmp_path):
    (tmp_path / "penguins.tflite").write_bytes((folder / "penguins.tflite").read_bytes())
    (tmp_path / "preprocess.json").write_text(text)
    with pytest.raises(PredictionError, match=r"^penguins\.tflite cannot be opened: preprocess\.json beside it is dam"):
        open_predictor(tmp_path / "penguins.tflite")


def test_keras_model_takes_texts_and_missing_numbers(tmp_path):
    island = tf.keras.Input((2,), dtype=tf.string, name="island")
    model = tf.keras.Model(island, layers.StringLookup(vocabulary=["a", "b"], output_mode="count", name="out")(island))
    model.save(tmp_path / "model.keras")
    predictor = open_predictor(tmp_path / "model.keras")
    assert predictor.inputs == {"island": TensorFacts((None, 2), "string")}
    for texts in (np.array([["b", "b"], ["a", "?"]]), np.array([[b"b", "b"], ["a", b"?"]], object)):
        assert predictor.predict({"island": texts})["out"].tolist() == [[0, 0, 2], [1, 1, 0]]


def test_discretization_keeps_what_it_has_learned(tmp_path):
    layer = layers.Discretization(num_bins=2, name="out")
    with pytest.warns(DeprecationWarning, match="__array__"):
        layer.adapt(np.arange(100, dtype=np.float32)[:, None])
    inputs = tf.keras.Input((1,), name="input")
    tf.keras.Model(inputs, layer(inputs)).save(tmp_path / "model.keras")
    answers = open_predictor(tmp_path / "model.keras").predict({"input": np.array([[10], [90]])})
    assert answers["out"].tolist() == [[0], [1]]

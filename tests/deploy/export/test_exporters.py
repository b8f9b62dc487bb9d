"""Every exporter keeps the contract of its kind."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from trainkit.deploy.export import EXPORTERS, file_name
from trainkit.errors import InputError, OutputError
from trainkit.inference import open_predictor

NAMES = sorted(EXPORTERS)


def test_exporters_are_those_that_the_language_has():
    assert NAMES == ["Keras3", "ONNX", "SavedModel", "TFLite", "Tkz"]


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_that_of_an_exporter(name):
    parameters = inspect.signature(EXPORTERS.get(name)).parameters
    assert list(parameters)[:2] == ["model", "filepath"]
    assert list(parameters)[-1] == "context"
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in list(parameters.values())[2:])


@pytest.mark.parametrize("name", NAMES)
def test_a_file_with_the_names_of_the_model_is_all_that_an_export_leaves(name, bench, model, tmp_path, capfd):
    before = [weight.copy() for weight in model.get_weights()]
    filepath = bench.export(model, tmp_path, name)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
    assert filepath == tmp_path / file_name(name, {}, "digits")
    assert [path.name for path in tmp_path.iterdir()] == [filepath.name]
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    predictor = open_predictor(filepath)
    assert {key: tensor.shape for key, tensor in predictor.inputs.items()} == {"input": (None, 14, 14, 1)}
    assert {key: tensor.shape for key, tensor in predictor.outputs.items()} == {"digit": (None, 10)}


@pytest.mark.parametrize("name", NAMES)
def test_file_that_cannot_be_written_is_an_output_error(name, bench, model, tmp_path):
    with pytest.raises(OutputError, match=r"nowhere/digits\S* cannot be written: No such file or directory\."):
        bench.export(model, tmp_path / "nowhere", name)


@pytest.mark.parametrize(
    ("exporter", "arguments", "expected"),
    [
        ("TFLite", {}, "a.b-c_float32.tflite"),
        ("TFLite", {"precision": "int8", "input_type": "uint8"}, "a.b-c_int8.tflite"),
        ("ONNX", {"opset": 15}, "a.b-c.onnx"),
        ("ONNX", {"precision": "float32"}, "a.b-c.onnx"),
        ("ONNX", {"precision": "int8"}, "a.b-c_int8.onnx"),
        ("Keras3", {}, "a.b-c_keras3.keras"),
        ("SavedModel", {}, "a.b-c_saved_model"),
        ("Tkz", {}, "a.b-c.tkz"),
    ],
    ids=["float32", "int8", "onnx", "onnx float32", "onnx int8", "keras3", "saved_model", "tkz"],
)
def test_file_name(exporter, arguments, expected):
    assert file_name(exporter, arguments, "a.b-c") == expected


def test_file_name_of_an_unknown_exporter_is_an_input_error():
    with pytest.raises(InputError, match=r"unknown exporter 'Onnx'\. Did you mean 'ONNX'\?"):
        file_name("Onnx", {}, "digits")

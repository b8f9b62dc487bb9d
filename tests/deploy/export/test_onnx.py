"""Keras -> .onnx"""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.onnx import export_onnx
from trainkit.errors import ExportError, InputError
from trainkit.framework import tf
from trainkit.inference import open_predictor

layers = tf.keras.layers


def test_batch_axis_is_free_and_named(files):
    graph = onnx.load(files["onnx"]).graph
    axes = [value.type.tensor_type.shape.dim[0].dim_param for value in [*graph.input, *graph.output]]
    assert axes == ["batch", "batch"]


def test_metadata_tell_classes_name_and_producer(files):
    metadata = {entry.key: entry.value for entry in onnx.load(files["onnx"]).metadata_props}
    assert metadata == {
        "classes": json.dumps(list("0123456789")),
        "name": "digits",
        "producer": "TrainKit 0.1.0",
        "version": "0.1.0",
    }


DATA = {
    "inputs": {"input": {"shape": [14, 14, 1], "dtype": "float32", "columns": ["left", "right"]}},
    "outputs": {
        "kind": {"classes": ["chat", "grüner Tee"]},
        "tone": {"classes": ["a", "b"]},
        "size": {"classes": None},
    },
}


def several(names, classes):
    inputs = tf.keras.Input((3,), name="input")
    outputs = [layers.Dense(classes, name=name)(inputs) for name in names]
    return tf.keras.Model(inputs, outputs)


def test_metadata_tell_the_classes_of_several_outputs_the_data_and_the_config(tmp_path):
    context = ExportContext("a", None, lambda count: [], "0.1.0", DATA, "ab" * 32)
    proto = onnx.load(export_onnx(several(["size", "tone", "kind"], 2), tmp_path / "a.onnx", context=context))
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(metadata.pop("data")) == DATA
    assert json.loads(metadata.pop("classes_kind")) == ["chat", "grüner Tee"]
    assert json.loads(metadata.pop("classes_tone")) == ["a", "b"]
    assert metadata == {
        "name": "a",
        "producer": "TrainKit 0.1.0",
        "version": "0.1.0",
        "config_sha256": "ab" * 32,
    }


def test_metadata_tell_the_classes_of_one_output_of_several(tmp_path):
    context = ExportContext("a", None, lambda count: [], "0.1.0", DATA)
    proto = onnx.load(export_onnx(several(["size", "kind"], 2), tmp_path / "a.onnx", context=context))
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(metadata["classes"]) == ["chat", "grüner Tee"]


def test_input_says_how_it_is_made(tmp_path):
    context = ExportContext("a", None, lambda count: [], "0.1.0", DATA)
    graph = onnx.load(export_onnx(several(["size"], 1), tmp_path / "a.onnx", context=context)).graph
    assert [value.doc_string for value in graph.input] == ["the columns left, right"]


def test_metadata_have_no_classes_where_there_are_none(model, tmp_path):
    filepath = export_onnx(model, tmp_path / "a.onnx", context=ExportContext("a", None, lambda count: [], "0.1.0"))
    assert {entry.key for entry in onnx.load(filepath).metadata_props} == {"name", "producer", "version"}


@pytest.mark.parametrize("opset", [13, 15, 18])
def test_opset_is_the_one_asked_for(opset, model, bench, proof, tmp_path):
    filepath = export_onnx(model, tmp_path / "a.onnx", opset=opset, context=bench.context())
    versions = {entry.domain: entry.version for entry in onnx.load(filepath).opset_import}
    assert versions[""] == opset
    found = open_predictor(filepath).predict(proof.inputs)
    np.testing.assert_allclose(found["digit"], proof.outputs["digit"], atol=1e-5)


@pytest.mark.parametrize("opset", [12, 19])
def test_opset_out_of_range_is_refused(opset, model, bench, tmp_path):
    with pytest.raises(InputError, match=rf"`opset` must be one of \(13, .*, 18\)\. Received: opset={opset}\."):
        export_onnx(model, tmp_path / "a.onnx", opset=opset, context=bench.context())


@pytest.mark.parametrize("activation", ["gelu", "swish", "elu", "selu", "softplus", "mish", "hard_sigmoid"])
def test_activation_is_that_of_keras(activation, bench, tmp_path):
    inputs = tf.keras.Input((5,), name="input")
    model = tf.keras.Model(inputs, layers.Activation(activation, name="out")(inputs))
    filepath = export_onnx(model, tmp_path / "a.onnx", context=bench.context())
    values = np.linspace(-6, 6, 50, dtype=np.float32).reshape(10, 5)
    expected = tf.keras.activations.get(activation)(tf.constant(values)).numpy()
    np.testing.assert_allclose(open_predictor(filepath).predict({"input": values})["out"], expected, atol=1e-5)


def test_what_cannot_be_converted_is_told_in_a_line(bench, tmp_path, capfd):
    inputs = tf.keras.Input((8,), name="input")
    model = tf.keras.Model(inputs, layers.Lambda(tf.math.erfinv, name="inverse")(inputs))
    with pytest.raises(
        ExportError, match=r"^a\.onnx cannot be written: ONNX has no operation for Erfinv \(in .*inverse"
    ):
        export_onnx(model, tmp_path / "a.onnx", context=bench.context())
    assert capfd.readouterr().err == ""
    assert list(tmp_path.iterdir()) == []


def test_the_same_model_is_the_same_file_whatever_was_written_before(bench, model, tmp_path):
    first = bench.export(model, tmp_path, "ONNX").read_bytes()
    assert bench.export(model, tmp_path, "ONNX").read_bytes() == first

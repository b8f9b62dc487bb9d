"""Keras -> .tflite"""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.tflite import export_tflite
from trainkit.deploy.verify import verify_file
from trainkit.errors import ExportError, InputError
from trainkit.framework import tf

layers = tf.keras.layers


def tensor_types(filepath):
    interpreter = Interpreter(str(filepath))
    return {np.dtype(tensor["dtype"]).name for tensor in interpreter.get_tensor_details()}


def test_int8_file_holds_integers_between_its_edges(files):
    interpreter = Interpreter(str(files["int8"]))
    edges = {detail["index"] for detail in [*interpreter.get_input_details(), *interpreter.get_output_details()]}
    inside = [tensor for tensor in interpreter.get_tensor_details() if tensor["index"] not in edges]
    assert {np.dtype(tensor["dtype"]).name for tensor in inside} == {"int8", "int32"}


def test_int8_file_is_less_than_half_the_float32_file(files):
    assert files["int8"].stat().st_size < 0.5 * files["float32"].stat().st_size


@pytest.mark.parametrize("input_type", ["int8", "uint8"])
@pytest.mark.parametrize("output_type", ["int8", "uint8"])
def test_integer_file_takes_and_gives_integers(input_type, output_type, bench, model, proof, tmp_path):
    types = {"input_type": input_type, "output_type": output_type}
    filepath = bench.export(model, tmp_path, "TFLite", precision="int8", **types)
    assert "float32" not in tensor_types(filepath)
    report = verify_file(filepath, precision="int8", proof=proof)
    assert report.facts["inputs"]["input"]["dtype"] == input_type
    assert report.facts["outputs"]["digit"]["dtype"] == output_type
    assert report.parity.passed, report.parity.reason


@pytest.mark.parametrize(
    ("precision", "least", "most"), [("float16", 0.49, 0.70), ("dynamic", 0.24, 0.5)], ids=["float16", "dynamic"]
)
def test_smaller_weights_answer_like_the_model(precision, least, most, model, files, bench, proof, tmp_path):
    filepath = bench.export(model, tmp_path, "TFLite", precision=precision)
    assert filepath.name == f"digits_{precision}.tflite"
    assert least < filepath.stat().st_size / files["float32"].stat().st_size < most
    report = verify_file(filepath, precision=precision, proof=proof)
    assert report.parity.passed, report.parity.reason
    assert report.facts["inputs"]["input"]["dtype"] == report.facts["outputs"]["digit"]["dtype"] == "float32"


@pytest.mark.parametrize(("precision", "held"), [("float16", "float16"), ("dynamic", "int8")])
def test_file_that_is_not_what_it_is_called_fails(precision, held, files, proof):
    parity = verify_file(files["float32"], precision=precision, proof=proof).parity
    assert not parity.passed
    assert parity.reason.startswith(f"{held} weights inside expected: some, found: none.")


def test_calibration_takes_as_many_samples_as_asked_for(model, bench, tmp_path):
    asked, given = [], []

    def calibration(count):
        asked.append(count)
        for inputs in bench.context().calibration(count):
            given.append(inputs["input"].shape)
            yield inputs

    context = ExportContext("digits", None, calibration, "0.1.0")
    export_tflite(model, tmp_path / "a.tflite", precision="int8", calibration_samples=7, context=context)
    assert set(asked) == {7}
    assert set(given) == {(1, 14, 14, 1)}
    assert len(given) == 7 * len(asked)


@pytest.mark.parametrize("name", ["input_type", "output_type"])
def test_integer_edges_of_a_float32_file_are_refused(name, model, bench, tmp_path):
    with pytest.raises(InputError, match=rf"`{name}` must be float32 where `precision` is .* Received: {name}='uint8'"):
        export_tflite(model, tmp_path / "a.tflite", **{name: "uint8"}, context=bench.context())


def test_calibration_with_no_sample_is_refused(model, bench, tmp_path):
    with pytest.raises(InputError, match=r"`calibration_samples` must be at least 1. Received: calibration_samples=0."):
        export_tflite(model, tmp_path / "a.tflite", precision="int8", calibration_samples=0, context=bench.context())


def test_calibration_that_gives_nothing_is_refused(model, tmp_path):
    context = ExportContext("digits", None, lambda count: [], "0.1.0")
    with pytest.raises(InputError, match="calibration must give at least one training sample"):
        export_tflite(model, tmp_path / "a.tflite", precision="int8", context=context)


class ListOfSteps(layers.Layer):
    """A recurrent layer that Keras does not know as one."""

    def call(self, inputs):
        return tf.transpose(tf.map_fn(tf.cumsum, tf.transpose(inputs, (1, 0, 2))), (1, 0, 2))


@pytest.mark.parametrize(
    ("layer", "precision", "told"),
    [
        (layers.Lambda(tf.math.erfinv), "float32", "TensorFlow Lite has no operation for Erfinv"),
        (layers.Lambda(tf.math.erfinv), "int8", "TensorFlow Lite has no operation for Erfinv"),
        (
            ListOfSteps(),
            "float32",
            "TensorFlow Lite cannot hold the list of steps of a recurrent layer .*: use LSTM, GRU or .*, or leave .*",
        ),
    ],
    ids=["float32", "int8", "recurrent"],
)
def test_what_cannot_be_converted_is_told_in_a_line(layer, precision, told, tmp_path, capfd):
    inputs = tf.keras.Input((4, 8), name="input")
    context = ExportContext("a", None, lambda count: [{"input": np.ones((1, 4, 8))}] * count, "0.1.0")
    with pytest.raises(ExportError, match=rf"^a\.tflite cannot be written: {told}\.$"):
        export_tflite(
            tf.keras.Model(inputs, layer(inputs)), tmp_path / "a.tflite", precision=precision, context=context
        )
    assert capfd.readouterr().err == ""
    assert list(tmp_path.iterdir()) == []


def test_two_inputs_are_calibrated_by_name(tmp_path):
    left, right = tf.keras.Input((4,), name="zebra"), tf.keras.Input((6,), name="ant")
    x = layers.Concatenate()([layers.Dense(3)(left), layers.Dense(3)(right)])
    model = tf.keras.Model([left, right], layers.Dense(2, name="answer")(x))
    generator = np.random.default_rng(1)

    def calibration(count):
        for _ in range(count):
            yield {"ant": generator.normal(0, 100, (1, 6)), "zebra": generator.normal(0, 1, (1, 4))}

    context = ExportContext("two", None, calibration, "0.1.0")
    types = {"input_type": "int8", "output_type": "int8"}
    filepath = export_tflite(model, tmp_path / "a.tflite", precision="int8", **types, context=context)
    inputs = Interpreter(str(filepath)).get_signature_runner().get_input_details()
    assert inputs["ant"]["quantization"][0] > 20 * inputs["zebra"]["quantization"][0]


@pytest.fixture(scope="module")
def int16x8(bench, model, tmp_path_factory):
    return bench.export(model, tmp_path_factory.mktemp("int16x8"), "TFLite", precision="int16x8")


def test_int16x8_file_computes_with_activations_of_16_bits_and_weights_of_8(int16x8, files, proof):
    assert int16x8.name == "digits_int16x8.tflite"
    interpreter = Interpreter(str(int16x8))
    edges = {detail["index"] for detail in [*interpreter.get_input_details(), *interpreter.get_output_details()]}
    inside = [tensor for tensor in interpreter.get_tensor_details() if tensor["index"] not in edges]
    assert {np.dtype(tensor["dtype"]).name for tensor in inside} == {"int8", "int16", "int32", "int64"}
    report = verify_file(int16x8, precision="int16x8", proof=proof)
    assert report.parity.passed, report.parity.reason
    of_int8 = verify_file(files["int8"], precision="int8", proof=proof)
    assert report.parity.rmse < 0.6 * of_int8.parity.rmse


@pytest.mark.slow
def test_int16x8_file_takes_and_gives_integers(bench, model, proof, tmp_path):
    types = {"input_type": "int16", "output_type": "int16"}
    filepath = bench.export(model, tmp_path, "TFLite", precision="int16x8", **types)
    assert "float32" not in tensor_types(filepath)
    report = verify_file(filepath, precision="int16x8", proof=proof)
    assert report.facts["inputs"]["input"]["dtype"] == report.facts["outputs"]["digit"]["dtype"] == "int16"
    assert report.parity.passed, report.parity.reason


def test_int8_file_is_no_int16x8_file(files, proof):
    parity = verify_file(files["int8"], precision="int16x8", proof=proof).parity
    assert not parity.passed
    assert parity.reason == "int16 activations inside expected: some, found: none."


@pytest.mark.parametrize(
    ("precision", "received", "told"),
    [
        ("int8", "int16", r"must be float32 or int8 or uint8 where .* is int8\. .*='int16'\. Set `precision: int16x8`"),
        ("int16x8", "uint8", r"must be float32 or int16 where .* is int16x8\. .*='uint8'\. Set `precision: int8`"),
    ],
    ids=["int8", "int16x8"],
)
def test_integers_of_another_precision_are_refused(precision, received, told, model, bench, tmp_path):
    with pytest.raises(InputError, match=f"`input_type` {told}, or leave it out"):
        bench.export(model, tmp_path, "TFLite", precision=precision, input_type=received)


def test_layer_that_has_no_16_bit_activations_is_named(bench, tmp_path):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    model = tf.keras.Model(inputs, layers.PReLU(name="digit")(inputs))
    with pytest.raises(ExportError, match=r"TensorFlow Lite has no PRELU of 16-bit activations: use `precision: int8`"):
        bench.export(model, tmp_path, "TFLite", precision="int16x8")

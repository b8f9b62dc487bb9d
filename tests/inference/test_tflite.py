"""Integers for real values, as a .tflite file takes and gives them."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.errors import InputError, PredictionError
from trainkit.framework import tf
from trainkit.inference.tflite import TFLitePredictor, dequantize, quantize


@pytest.mark.parametrize(
    ("values", "scale", "zero_point", "dtype", "expected"),
    [
        ([0, 127, 255], 1.0, -128, "int8", [-128, -1, 127]),
        ([-1.0, 0.0, 0.5], 0.5, 10, "uint8", [8, 10, 11]),
        ([-1000, 1000], 1.0, 0, "int8", [-128, 127]),
        ([-1000, 1000], 1.0, 0, "uint8", [0, 255]),
        ([0.26, 0.74], 0.5, 0, "int8", [1, 1]),
    ],
    ids=["pixels", "zero point", "ends of int8", "ends of uint8", "nearest"],
)
def test_quantize(values, scale, zero_point, dtype, expected):
    integers = quantize(np.array(values), scale, zero_point, dtype)
    assert integers.dtype == dtype
    assert integers.tolist() == expected


def test_dequantize_is_the_inverse():
    integers = np.arange(-128, 128).astype(np.int8)
    values = dequantize(integers, 0.1, 3)
    assert values.dtype == np.float32
    assert values[131] == 0
    np.testing.assert_array_equal(quantize(values, 0.1, 3, np.int8), integers)


@pytest.fixture(scope="module")
def integer_file(models, tmp_path_factory):
    """`one` as an int8 file that takes uint8 and gives int8."""
    generator = np.random.default_rng(5)
    converter = tf.lite.TFLiteConverter.from_keras_model(models.one)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [generator.uniform(-2, 2, (1, 4, 3)).astype(np.float32)] for _ in range(50)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.int8
    filepath = tmp_path_factory.mktemp("integer") / "one.tflite"
    with pytest.warns(UserWarning, match=r"deprecated|Statistics"):
        filepath.write_bytes(converter.convert())
    return filepath


def test_integer_file_takes_and_gives_real_values(integer_file, models):
    values = np.random.default_rng(1).uniform(-2, 2, (20, 4, 3)).astype(np.float32)
    outputs = TFLitePredictor(integer_file).predict({"input": values})
    np.testing.assert_allclose(outputs["digit"], models.one(values).numpy(), atol=0.03)


def test_integer_file_tells_its_quantization(integer_file):
    predictor = TFLitePredictor(integer_file)
    assert (predictor.inputs["input"].dtype, predictor.outputs["digit"].dtype) == ("uint8", "int8")
    assert predictor.inputs["input"].scale == pytest.approx(4 / 255, rel=0.05)
    assert predictor.outputs["digit"].zero_point == -128
    assert predictor.facts["float_tensors"] == []


def test_float_file_tells_its_float_tensors(models):
    assert TFLitePredictor(models.folder / "one.tflite").facts["float_tensors"]


def test_file_without_the_signature_is_a_prediction_error(models, tmp_path):
    function = tf.function(lambda x: x + 1).get_concrete_function(tf.TensorSpec((1, 2)))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    (tmp_path / "bare.tflite").write_bytes(converter.convert())
    with pytest.raises(PredictionError, match=r"^bare\.tflite cannot be opened by LiteRT: .*serving_default"):
        TFLitePredictor(tmp_path / "bare.tflite")


@pytest.fixture
def predictor(models):
    return TFLitePredictor(models.folder / "one.tflite")


def drawn(samples, seed=1):
    return np.random.default_rng(seed).uniform(-2, 2, (samples, 4, 3)).astype(np.float32)


def test_samples_are_answered_alike_whatever_their_number(predictor):
    values = drawn(70)
    alone = np.concatenate([predictor.predict({"input": values[i : i + 1]})["digit"] for i in range(70)])
    for size in (2, 32, 33, 70):
        np.testing.assert_allclose(predictor.predict({"input": values[:size]})["digit"], alone[:size], atol=1e-6)
    np.testing.assert_array_equal(predictor.predict({"input": values[:1]})["digit"], alone[:1])


def test_answers_are_not_overwritten_by_the_next_ones(predictor):
    first = predictor.predict({"input": drawn(3)})["digit"]
    kept = first.copy()
    predictor.predict({"input": drawn(3, seed=2)})
    np.testing.assert_array_equal(first, kept)


def test_inputs_of_another_kind_are_checked_again(predictor):
    predictor.predict({"input": drawn(2)})
    with pytest.raises(InputError, match="`input` must hold numbers"):
        predictor.predict({"input": np.full((2, 4, 3), "a")})
    with pytest.raises(InputError, match="must have the names"):
        predictor.predict({"other": drawn(2)})
    with pytest.raises(InputError, match="must have the shape"):
        predictor.predict({"input": drawn(2)[:, :3]})
    assert predictor.predict({"input": drawn(2).astype(np.float64)})["digit"].shape[0] == 2


def test_file_of_batch_1_is_run_sample_by_sample(models, tmp_path):
    fixed = tf.keras.models.clone_model(models.one, tf.keras.Input((4, 3), 1, name="input"))
    fixed.set_weights(models.one.get_weights())
    (tmp_path / "one.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(fixed).convert())
    predictor = TFLitePredictor(tmp_path / "one.tflite")
    assert predictor.inputs["input"].shape == (1, 4, 3)
    values = drawn(5)
    np.testing.assert_allclose(predictor.predict({"input": values})["digit"], models.one(values).numpy(), atol=1e-5)

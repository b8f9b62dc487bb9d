"""Recurrent networks as .tflite and .onnx"""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.onnx import export_onnx
from trainkit.deploy.export.tflite import export_tflite
from trainkit.deploy.verify import OTHER_RUNTIME
from trainkit.errors import ExportError
from trainkit.framework import tf
from trainkit.inference import open_predictor
from trainkit.inference.isolated import predict_isolated

layers = tf.keras.layers
FEATURES = 5


def network(*body, steps=None):
    tf.keras.utils.set_random_seed(1)
    inputs = x = tf.keras.Input((steps, FEATURES), name="input")
    for layer in body:
        x = layer(x)
    return tf.keras.Model(inputs, layers.Dense(3, activation="softmax", name="answer")(x))


def masked():
    return network(layers.Masking(), layers.GRU(3))


def both_ways():
    both = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    return network(layers.Masking(), both, layers.Bidirectional(layers.GRU(3)))


def series(samples=12, steps=7):
    """Series of several lengths, with zeros behind the last step."""
    values = np.random.default_rng(3).normal(size=(samples, steps, FEATURES)).astype(np.float32)
    for index, row in enumerate(values):
        row[steps - index % 4 :] = 0
    return {"input": values}


def context(samples=50):
    return ExportContext("a", None, lambda count: ({"input": x[None]} for x in series(samples)["input"]), "0.1.0")


NETWORKS = {
    "lstm": lambda: network(layers.LSTM(6)),
    "gru": lambda: network(layers.GRU(6)),
    "gru_reset_before": lambda: network(layers.GRU(6, reset_after=False)),
    "simple": lambda: network(layers.SimpleRNN(6)),
    "cells": lambda: network(layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)])),
    "masked": masked,
    "both_ways": both_ways,
    "nested": lambda: network(tf.keras.Sequential([tf.keras.Input((None, FEATURES)), layers.LSTM(4)])),
    "of_series": lambda: network(
        layers.Reshape((2, 3, FEATURES)), layers.TimeDistributed(layers.LSTM(4)), layers.GRU(3), steps=6
    ),
}
SLOW = {"gru", "masked", "gru_reset_before", "simple", "cells", "both_ways", "nested", "of_series"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in NETWORKS])
def test_tflite_answers_sample_by_sample_whatever_was_asked_before(name, tmp_path):
    model, inputs = NETWORKS[name](), series(steps=6)
    filepath = export_tflite(model, tmp_path / "a.tflite", context=context())
    expected = model.predict(inputs["input"], verbose=0)
    predictor = open_predictor(filepath)
    assert predictor.inputs["input"].shape == (1, model.input_shape[1], FEATURES)
    np.testing.assert_allclose(predictor.predict(inputs)["answer"], expected, atol=1e-6)


@pytest.mark.slow
def test_tflite_takes_any_number_of_steps(tmp_path):
    model = masked()
    predictor = open_predictor(export_tflite(model, tmp_path / "a.tflite", context=context()))
    for steps in (5, 9, 1):
        inputs = series(steps=steps)
        expected = model.predict(inputs["input"], verbose=0)
        np.testing.assert_allclose(predictor.predict(inputs)["answer"], expected, atol=1e-6)
    other = predict_isolated(tmp_path / "a.tflite", inputs, runtime=OTHER_RUNTIME)
    np.testing.assert_allclose(other.outputs["answer"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("precision", "most"), [pytest.param("float16", 0.65, marks=pytest.mark.slow), ("dynamic", 0.5)]
)
def test_small_weights_are_inside_the_loop(precision, most, tmp_path):
    model = network(layers.LSTM(64))
    small = export_tflite(model, tmp_path / "b.tflite", precision=precision, context=context())
    assert small.stat().st_size < most * 4 * model.count_params()
    expected = model.predict(series()["input"], verbose=0)
    np.testing.assert_allclose(open_predictor(small).predict(series())["answer"], expected, atol=1e-3)


@pytest.mark.parametrize("precision", ["int8", pytest.param("int16x8", marks=pytest.mark.slow)])
def test_integers_are_computed_step_by_step(precision, tmp_path):
    model = network(layers.LSTM(4), steps=7)
    filepath = export_tflite(model, tmp_path / "a.tflite", precision=precision, context=context())
    predictor = open_predictor(filepath)
    assert predictor.facts["float_operations"] == []
    assert predictor.inputs["input"].shape == (None, 7, FEATURES)
    expected = model.predict(series(50)["input"], verbose=0)
    np.testing.assert_allclose(predictor.predict(series(50))["answer"], expected, atol=0.02)


@pytest.mark.parametrize(
    ("body", "steps", "told"),
    [
        (
            [layers.LSTM(2, name="a")],
            None,
            r"`a` \(LSTM\) must have a fixed number of steps .* any\. Write it in",
        ),
        ([layers.Masking(), layers.GRU(2, name="a")], 4, r"`a` \(GRU\) must see every step .*: a mask\. Leave out"),
        ([layers.LSTM(2, name="a")], 300, r"`a` \(LSTM\) must have at most 256 steps .* Received: 300\."),
        (
            [layers.Reshape((2, 3, 5, 1)), layers.ConvLSTM2D(2, 3, name="a"), layers.Flatten()],
            6,
            r"`a` \(ConvLSTM2D\) cannot be one of integers: TensorFlow Lite cannot calibrate its loop\.",
        ),
    ],
    ids=["any number of steps", "mask", "many steps", "convolution"],
)
def test_integers_that_cannot_be_are_refused(body, steps, told, tmp_path):
    model = network(*[type(layer).from_config(layer.get_config()) for layer in body], steps=steps)
    with pytest.raises(ExportError, match=rf"{told}.* Use `precision: float32`, `float16` or `dynamic`, or ONNX\."):
        export_tflite(model, tmp_path / "a.tflite", precision="int8", context=context())
    assert list(tmp_path.iterdir()) == []


def test_model_is_not_changed(tmp_path):
    model = masked()
    config, weights = model.get_config(), model.get_weights()
    export_tflite(model, tmp_path / "a.tflite", context=context())
    assert model.get_config() == config
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_onnx_takes_any_number_of_samples_and_of_steps(tmp_path):
    model = masked()
    predictor = open_predictor(export_onnx(model, tmp_path / "a.onnx", context=context()))
    assert predictor.inputs["input"].shape == (None, None, FEATURES)
    for samples, steps in ((12, 7), (1, 4), (3, 20)):
        inputs = series(samples, steps)
        expected = model.predict(inputs["input"], verbose=0)
        np.testing.assert_allclose(predictor.predict(inputs)["answer"], expected, atol=1e-5)

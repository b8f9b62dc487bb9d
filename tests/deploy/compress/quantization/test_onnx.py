"""Networks that have trained with rounding, as .onnx files of 8 bits"""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.onnx import export_onnx
from trainkit.framework import tf
from trainkit.inference import open_predictor
from trainkit.inference.keras import KerasPredictor
from trainkit.inference.onnx_insides import look_inside

layers = tf.keras.layers


def flat(x):
    return layers.Dense(3)(layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(x)))


def reshaped(x):
    x = layers.AveragePooling2D()(layers.Reshape((18, 2, 4))(layers.Conv2D(4, 3)(x)))
    return layers.Dense(3)(layers.Flatten()(x))


def means(x):
    """Whose mean is rounded behind the squeeze of its axes."""
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3)(x)))
    return layers.Dense(3)(layers.GlobalAveragePooling2D()(x))


def unrounded_pool(x):
    """A Tanh and a pool, which ONNX Runtime does not compute in integers, before what it does."""
    return layers.Dense(3)(layers.Flatten()(layers.AveragePooling2D()(layers.Conv2D(4, 3, activation="tanh")(x))))


def branches(x):
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = layers.ReLU()(layers.Add()([x, layers.Conv2D(4, 3, padding="same")(x)]))
    x = layers.Concatenate()([x, layers.MaxPooling2D(3, 1, "same")(x)])
    return [layers.Dense(3, name="size")(layers.Flatten()(x)), layers.Conv2D(2, 1, name="mask")(x)]


def context(samples):
    def calibration(count):
        return ({name: array[index : index + 1] for name, array in samples.items()} for index in range(count))

    return ExportContext("network", None, calibration, "0.1.0")


def steps(filepath):
    """The steps of the integers that a file rounds to."""
    graph = onnx.load(filepath).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    return {float(stored[node.input[1]]) for node in graph.node if node.op_type == "QuantizeLinear"}


@pytest.mark.parametrize(
    "compute", [flat, reshaped, means, unrounded_pool, branches], ids=lambda compute: compute.__name__
)
def test_file_answers_like_the_network_in_the_ranges_of_its_training(compute, workshop, tmp_path):
    model = workshop.quantize(workshop.network(compute)).model
    samples = workshop.samples(model)
    export = {"calibration_samples": 50, "context": context(samples)}
    whole = export_onnx(model, tmp_path / "whole.onnx", **export)
    small = open_predictor(export_onnx(model, tmp_path / "small.onnx", precision="int8", **export))
    assert workshop.difference(small.predict(samples), KerasPredictor(model).predict(samples)) < 0.05
    assert look_inside(tmp_path / "small.onnx")["float_kernels"] == []
    assert (
        len(steps(tmp_path / "small.onnx") - steps(whole)) == 1
    )  # that of the input, which nothing rounds in training


def test_a_tensor_that_is_rounded_twice_is_rounded_once(workshop, tmp_path):
    inputs = x = tf.keras.Input((6,), name="input")
    x = layers.Dense(4, name="hidden")(x)
    for most in (4.0, 3.0):
        x = layers.Lambda(lambda x, most=most: tf.quantization.fake_quant_with_min_max_args(x, -most, most))(x)
    model = tf.keras.Model(inputs, layers.Dense(2)(x))
    samples = workshop.samples(model)
    export = {"calibration_samples": 50, "context": context(samples)}
    small = open_predictor(export_onnx(model, tmp_path / "small.onnx", precision="int8", **export))
    assert workshop.difference(small.predict(samples), KerasPredictor(model).predict(samples)) < 0.05
    first, second = 8 / 255, 6 / 255
    kept = [any(np.isclose(step, one) for one in steps(tmp_path / "small.onnx")) for step in (first, second)]
    assert kept == [True, False]

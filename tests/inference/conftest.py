"""What the tests of inference share: small models as files of every format."""

from __future__ import annotations

import json
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

SUFFIXES = (".keras", ".h5", ".tflite", ".onnx")


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Two networks with random weights, each as a Keras model and as a file of every format.

    `one` goes from `input`, shape `(4, 3)`, to `digit`, shape `(5,)`; `two` from `left`, shape `(3,)`, and `right`,
    shape `(2,)`, to `total`, shape `(4,)`, and `share`, shape `(1,)`.
    """
    import tf2onnx

    from trainkit.framework import tf

    layers = tf.keras.layers
    tf.keras.utils.set_random_seed(1)
    inputs = tf.keras.Input((4, 3), name="input")
    one = tf.keras.Model(inputs, layers.Dense(5, activation="softmax", name="digit")(layers.Flatten()(inputs)))
    left, right = tf.keras.Input((3,), name="left"), tf.keras.Input((2,), name="right")
    both = layers.Concatenate()([left, right])
    outputs = [layers.Dense(4, name="total")(both), layers.Dense(1, activation="sigmoid", name="share")(both)]
    two = tf.keras.Model([left, right], outputs)

    folder = tmp_path_factory.mktemp("models")
    for name, model in {"one": one, "two": two}.items():
        model.save(folder / f"{name}.keras")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="You are saving your model as an HDF5 file")
            model.save(folder / f"{name}.h5")
        (folder / f"{name}.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
        specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs]
        proto, _ = tf2onnx.convert.from_keras(model, input_signature=specs, opset=17)
        (folder / f"{name}.onnx").write_bytes(proto.SerializeToString())
        save_model(model, folder / f"{name}_saved_model")
        pack_model(model, folder / f"{name}.tkz")
    return SimpleNamespace(folder=folder, one=one, two=two)


def pack_model(model, filepath):
    """A .tkz file, as TrainKit writes it."""
    from trainkit.coding import write_container
    from trainkit.framework import tf

    network = json.dumps(tf.keras.saving.serialize_keras_object(model))
    weights = model.get_weights()
    filepath.write_bytes(write_container(network, weights, [None] * len(weights)))


def save_model(model, directory):
    """A SavedModel of the answers alone, as TensorFlow writes it."""
    from trainkit.framework import tf

    def serve(**inputs):
        outputs = model([inputs[name] for name in model.input_names])
        return dict(zip(model.output_names, tf.nest.flatten(outputs), strict=True))

    specs = {name: tf.TensorSpec(x.shape, x.dtype) for name, x in zip(model.input_names, model.inputs, strict=True)}
    held = tf.Module()
    held.weights = model.weights
    tf.saved_model.save(held, str(directory), signatures=tf.function(serve).get_concrete_function(**specs))


@pytest.fixture
def samples():
    """Seven samples of each input."""
    generator = np.random.default_rng(3)
    shapes = {"input": (4, 3), "left": (3,), "right": (2,)}
    return {name: generator.normal(size=(7, *shape)).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def one(samples):
    return {"input": samples["input"]}


@pytest.fixture
def two(samples):
    return {"left": samples["left"], "right": samples["right"]}

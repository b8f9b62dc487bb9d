"""What the tests of deploy share: real digits, a small network trained on them, and its exported files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainkit.data.sources.sample import sample
from trainkit.deploy.export import EXPORTERS, ExportContext, file_name
from trainkit.deploy.proof import make_proof
from trainkit.deploy.verify import verify_file
from trainkit.framework import tf

layers = tf.keras.layers
DIGITS = tuple("0123456789")


class Bench:
    """Real digits of 14 × 14 pixels, 0 to 255, and what is done with them."""

    def __init__(self):
        digits = sample()
        train, test = digits.train.columns, digits.test.columns
        self.images, self.labels = train["image"].array[:4000, ::2, ::2], train["label"].array[:4000]
        self.test = {"input": test["image"].array[:1000, ::2, ::2]}
        self.test_labels = test["label"].array[:1000]

    def context(self, scale=1.0):
        """What exporters are told; `scale` is applied to the calibration samples."""
        samples = self.images.astype(np.float32) * np.float32(scale)
        return ExportContext("digits", DIGITS, lambda count: ({"input": x[None]} for x in samples[:count]), "0.1.0")

    def save(self, folder):
        """Write 1,000 digits to `digits.npz` and 300 others to `digits_test.npz`."""
        np.savez(folder / "digits.npz", x=self.images[:1000], y=self.labels[:1000])
        np.savez(folder / "digits_test.npz", x=self.test["input"][:300], y=self.test_labels[:300])

    def train(self, model, *, epochs=3, labels=None, loss="sparse_categorical_crossentropy"):
        """Train a model for two seconds, and return it."""
        model.compile(tf.keras.optimizers.Adam(3e-3), loss)
        model.fit(self.images, self.labels if labels is None else labels, batch_size=64, epochs=epochs, verbose=0)
        return model

    def prove(self, model, folder):
        """The model's answers to the test digits."""
        model.save(folder / "model.keras")
        targets = dict.fromkeys(model.output_names, self.test_labels)
        return make_proof(model, folder / "model.keras", self.test, targets)

    def export(self, model, folder, exporter, *, context=None, **arguments):
        """Write a file as `deploy` does."""
        filepath = Path(folder) / file_name(exporter, arguments, "digits")
        return EXPORTERS.get(exporter)(model, filepath, context=context or self.context(), **arguments)


@pytest.fixture(scope="session")
def bench():
    return Bench()


@pytest.fixture(scope="session")
def model(bench):
    """A trained convolutional network that rescales its input by itself."""
    tf.keras.utils.set_random_seed(1)
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(8, 3, activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    return bench.train(tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x)))


@pytest.fixture(scope="session")
def proof(bench, model, tmp_path_factory):
    return bench.prove(model, tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def files(bench, model, tmp_path_factory):
    """The exported files of `model`: `float32`, `int8` and `onnx`. Tests must not change them."""
    folder = tmp_path_factory.mktemp("files")
    return {
        "float32": bench.export(model, folder, "TFLite"),
        "int8": bench.export(model, folder, "TFLite", precision="int8"),
        "onnx": bench.export(model, folder, "ONNX"),
    }


@pytest.fixture(scope="session")
def reports(files, proof):
    """What was measured of `files`."""
    precisions = {name: "int8" if name == "int8" else "float32" for name in files}
    return {name: verify_file(files[name], precision=precisions[name], proof=proof) for name in files}

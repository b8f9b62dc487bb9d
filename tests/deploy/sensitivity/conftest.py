"""Networks in which one layer was spoilt for 8 bits, without another answer in float32."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from trainkit.deploy.export.tflite import find_ranges
from trainkit.deploy.proof import Proof
from trainkit.deploy.sensitivity.analysis import Analysis
from trainkit.deploy.sensitivity.trials import Trials
from trainkit.framework import tf

layers = tf.keras.layers


def norm(x, name, activation="relu"):
    x = layers.BatchNormalization(momentum=0.8, name=f"{name}.bn")(x)
    return layers.Activation(activation, name=f"{name}.act")(x) if activation else x


def convolution(x, name, filters, activation="relu", size=3, **options):
    return norm(layers.Conv2D(filters, size, use_bias=False, padding="same", name=name, **options)(x), name, activation)


def plain(x):
    x = convolution(x, "conv1", 8, strides=2)
    x = convolution(x, "conv2", 12, strides=2)
    return layers.Flatten(name="flatten")(convolution(x, "conv3", 12))


def residual(x):
    stem = convolution(x, "stem", 8, strides=2)
    x = convolution(stem, "expand", 16, size=1)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(x)
    x = convolution(norm(x, "depthwise"), "project", 8, activation=None, size=1)
    return layers.Flatten(name="flatten")(layers.Add(name="add")([stem, x]))


def dense(x):
    x = layers.Flatten(name="flatten")(x)
    for number, units in enumerate((48, 32, 24), 1):
        x = layers.Dense(units, activation="relu", name=f"dense{number}")(x)
    return x


NETWORKS = {"plain": plain, "residual": residual, "dense": dense}


class Planter:
    """Trains the networks once, and spoils copies of them."""

    def __init__(self, bench):
        self._bench, self._trained = bench, {}

    def network(self, name):
        if name not in self._trained:
            tf.keras.utils.set_random_seed(1)
            inputs = tf.keras.Input((14, 14, 1), name="input")
            x = NETWORKS[name](layers.Rescaling(1 / 255, name="rescaling")(inputs))
            model = tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x))
            self._trained[name] = self._bench.train(model, epochs=3)
        copy = tf.keras.models.clone_model(self._trained[name])
        copy.set_weights(self._trained[name].get_weights())
        return copy

    def weights(self, name, *, giver, layer, size=300):
        """Huge weights in every output channel of a layer, for an input channel that is always 0."""
        model = self.network(name)
        self._scale(model.get_layer(giver), 0)
        kernel = model.get_layer(layer).kernel
        values = kernel.numpy()
        values[..., 0, :] = size * np.abs(values).max()
        kernel.assign(values)
        return model

    def values(self, name, *, giver, taker, size=200):
        """A channel of huge values, which the layer that takes it does not look at."""
        model = self.network(name)
        self._scale(model.get_layer(giver), size)
        kernel = model.get_layer(taker).kernel
        values = kernel.numpy()
        values[..., 0, :] = 0
        kernel.assign(values)
        return model

    @staticmethod
    def _scale(layer, factor):
        """Multiply the first channel of what a layer gives."""
        weights = layer.get_weights()
        for weight in weights[:2]:  # kernel and bias, or gamma and beta
            weight[..., 0] *= factor
        layer.set_weights(weights)

    def calibrate(self, model):
        return find_ranges(model, 200, context=self._bench.context(), name="digits")

    def trials(self, model, calibrated, accuracy_drop=1.0):
        inputs = {"input": self._bench.test["input"][:400]}
        targets = {"digit": self._bench.test_labels[:400]}
        proof = Proof("model", "", model, inputs, targets)
        return Trials(calibrated, proof, accuracy_drop=accuracy_drop)

    def analyse(self, model):
        calibrated = self.calibrate(model)
        return Analysis(calibrated, self.trials(model, calibrated)).run(is_choosing=True)


@pytest.fixture(scope="session")
def planter(bench):
    return Planter(bench)


@pytest.fixture(scope="session")
def planted(planter):
    """What was measured of a network of dense layers with huge weights in `dense2`."""
    model = planter.weights("dense", giver="dense1", layer="dense2")
    return SimpleNamespace(model=model, found=planter.analyse(model))

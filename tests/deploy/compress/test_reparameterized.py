"""Layers that compute with what transforms make of their weights."""

import numpy as np
import pytest

from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.reparameterized import Reparameterized, reparameterize, settled
from trainkit.framework import tf

L = tf.keras.layers


class Scaled(L.Layer):
    """A weight times what is learned, half of that at first."""

    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(name="scale", shape=(), initializer=tf.keras.initializers.Constant(0.5))

    def call(self, weight, training=None):
        self.add_loss(1e-3 * tf.square(self.scale))
        return weight * self.scale


def of_trained(layer, place):
    return Scaled() if place.variable.trainable else None


@pytest.fixture(scope="module")
def network():
    image = L.Input((8, 8, 3))
    x = L.BatchNormalization()(L.Conv2D(4, 3, name="conv")(image))
    x = L.LSTM(5, return_sequences=True)(L.Reshape((6, 24))(x))
    x = L.LayerNormalization()(L.MultiHeadAttention(2, 3)(x, x))
    x = L.Bidirectional(L.GRU(4))(x)
    return tf.keras.Model(image, L.Dense(3, name="answer")(x))


@pytest.fixture
def samples():
    random = np.random.default_rng(1)
    return random.normal(size=(16, 8, 8, 3)).astype(np.float32), random.normal(size=(16, 3)).astype(np.float32)


def test_reparameterize_computes_with_transformed_weights(network, samples):
    halved = copy_model(network)
    for weight in halved.trainable_weights:
        weight.assign(0.5 * weight)
    found = reparameterize(network, of_trained)
    assert [layer.name for layer in found.layers] == [layer.name for layer in network.layers]
    assert len(found.losses) == len(network.trainable_weights) == 25
    np.testing.assert_allclose(found(samples[0]), halved(samples[0]), atol=1e-6)


def test_reparameterize_leaves_the_model_alone(network, samples):
    before = network(samples[0]).numpy()
    reparameterize(network, of_trained)
    assert not any(isinstance(layer, Reparameterized) for layer in network.layers)
    np.testing.assert_array_equal(network(samples[0]), before)


def test_settled_gives_a_plain_model_that_answers_as_the_trained_one(network, samples):
    found = reparameterize(network, of_trained)
    found.compile("adam", "mse")
    found.fit(*samples, epochs=2, verbose=0)
    scales = [float(one.scale) for layer in found.layers for one in getattr(layer, "transforms", [])]
    assert all(scale != 0.5 for scale in scales)
    answers = found(samples[0]).numpy()
    plain = copy_model(settled(found))
    np.testing.assert_array_equal(plain(samples[0]), answers)
    assert [weight.name for weight in plain.weights[:2]] == ["conv/kernel:0", "conv/bias:0"]

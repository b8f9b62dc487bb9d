"""Layers that draw what cannot be drawn again are named."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.training.random_streams import key_random_layers
from trainkit.training.unkept import raises_when_deterministic, unkept_randomness

L = tf.keras.layers
GLOBAL = tf.random.Generator.from_seed(1)


class MyNoise(L.Layer):
    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


class InALoop(L.Layer):
    def call(self, x):
        return tf.map_fn(lambda row: row * tf.random.uniform([]), x)


class InAFunction(L.Layer):
    @tf.function
    def call(self, x):
        return x + tf.cond(tf.reduce_sum(x) > 0.0, lambda: tf.random.normal([]), lambda: 0.0)


class InPython(L.Layer):
    def call(self, x):
        return tf.ensure_shape(tf.numpy_function(lambda x: x + np.random.normal(), [x], tf.float32), x.shape)


class ByGenerator(L.Layer):
    def call(self, x):
        return x + GLOBAL.normal(tf.shape(x))


class ByOwnGenerator(L.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.generator = tf.random.Generator.from_seed(1)

    def call(self, x):
        return x + self.generator.normal(tf.shape(x))


class Around(L.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = MyNoise(name="inner")

    def call(self, x):
        return self.inner(x)


class Kept(tf.keras.__internal__.layers.BaseRandomLayer):
    def call(self, x):
        return x + self._random_generator.random_normal(tf.shape(x))


def make_model(*layers, shape=(3,)):
    x = given = tf.keras.Input(shape)
    for layer in layers:
        x = layer(x)
    model = tf.keras.Model(given, x, name="net")
    key_random_layers(model, seed=1, step=tf.Variable(0, dtype=tf.int64))
    return model


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (MyNoise, "draws by tf.random.normal, which cannot be restored"),
        (InALoop, "draws by tf.random.uniform, which cannot be restored"),
        (InAFunction, "draws by tf.random.normal, which cannot be restored"),
        (InPython, "runs Python (tf.numpy_function)"),
        (ByGenerator, "draws by a tf.random.Generator that no checkpoint has"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_unkept_names_the_layer_and_what_it_draws_by(layer, told):
    found = unkept_randomness(make_model(L.Dropout(0.5), layer(name="block.noise1"), ByOwnGenerator()))
    assert len(found) == 1
    assert found[0].startswith(f"layer `block.noise1` (class {layer.__name__}) ")
    assert told in found[0]


def test_unkept_names_a_layer_inside_another():
    (found,) = unkept_randomness(make_model(Around(name="around1")))
    assert found.startswith("layer `around1` (class Around) draws by tf.random.normal")


def test_unkept_names_every_layer_once():
    noise = MyNoise(name="twice")
    found = unkept_randomness(make_model(noise, noise, InALoop(name="loop")))
    assert [line.split("`")[1] for line in found] == ["twice", "loop"]


def test_unkept_finds_stock_layers_that_are_not_keyed():
    model = tf.keras.Sequential([L.Dropout(0.5, name="drop", input_shape=(3,))])
    assert unkept_randomness(model)[0].startswith("layer `drop` (class Dropout) draws by tf.random.uniform")


def test_unkept_finds_nothing_in_keyed_layers():
    inner = [
        L.Dropout(0.5),
        Kept(),
        L.Reshape((3, 1)),
        L.LSTM(3, dropout=0.5, recurrent_dropout=0.5),
        L.AlphaDropout(0.1),
    ]
    assert unkept_randomness(make_model(*inner)) == []


def test_unkept_looks_at_the_function_that_is_given():
    model = make_model(L.Dense(1))
    step = tf.function(lambda x: model(x) + tf.random.normal([])).get_concrete_function(tf.TensorSpec([2, 3]))
    assert unkept_randomness(model) == []
    assert unkept_randomness(model, step)[0].startswith("the training step draws by tf.random.normal")


class Clock(L.Layer):
    def call(self, x):
        return x + tf.cast(tf.timestamp() * 0.0, tf.float32)


def frozen():
    return L.BatchNormalization(name="found", trainable=False)


@pytest.mark.parametrize(
    ("layer", "gpu", "compiled", "told"),
    [
        (lambda: L.UpSampling2D(name="found"), True, False, "resizes to the nearest pixel"),
        (lambda: L.UpSampling2D(interpolation="bilinear"), True, False, None),
        (lambda: L.UpSampling2D(), False, False, None),
        (lambda: L.RandomContrast(0.5, name="found"), True, False, "changes the contrast"),
        (frozen, True, False, "gradients through a BatchNormalization that is frozen"),
        (L.BatchNormalization, True, False, None),
        (lambda: L.MaxPooling2D(name="found"), False, True, "learns through max pooling, which XLA cannot do"),
        (L.MaxPooling2D, True, False, None),
        (lambda: Clock(name="found"), False, False, "looks at the clock"),
    ],
)
def test_raises_when_deterministic_names_the_layer(layer, gpu, compiled, told):
    layer = layer()
    before = [] if isinstance(layer, L.RandomContrast) else [L.Conv2D(2, 3)]  # it passes no gradients
    model = make_model(*before, layer, L.Conv2D(2, 1), shape=(6, 6, 3))
    found = raises_when_deterministic(model, gpu=gpu, compiled=compiled)
    assert len(found) == (told is not None)
    if told:
        assert found[0].startswith("layer `found` (class ")
        assert told in found[0]

"""Batch normalization whose statistics need no bytes."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress.entropy.normalization import absorb_statistics
from trainkit.framework import tf

L = tf.keras.layers


def normalizing(**arguments):
    """A network of one BatchNormalization that has seen and learned something."""
    random = np.random.default_rng(1)
    layer = tf.keras.layers.BatchNormalization(name="norm", **arguments)
    inputs = tf.keras.Input((40,))
    model = tf.keras.Model(inputs, layer(inputs))
    for variable, values in {
        "gamma": random.lognormal(0, 0.3, 40),
        "beta": random.normal(0, 1, 40),
        "moving_mean": random.normal(0, 3, 40),
        "moving_variance": random.lognormal(1, 1, 40),
    }.items():
        if getattr(layer, variable) is not None:
            getattr(layer, variable).assign(values)
    return model, layer


@pytest.mark.parametrize(
    "arguments", [{}, {"scale": False}, {"center": False}, {"scale": False, "center": False}], ids=str
)
def test_network_answers_as_before(arguments):
    model, layer = normalizing(**arguments)
    samples = np.random.default_rng(2).normal(0, 3, (500, 40)).astype(np.float32)
    before = model.predict(samples, verbose=0)
    steps = {variable.name: step for _, variable, step in absorb_statistics(model)}
    assert len(steps) == layer.scale + layer.center
    np.testing.assert_allclose(model.predict(samples, verbose=0), before, atol=0.03 * before.std())
    for variable in (one for one in (layer.gamma, layer.beta) if one is not None):
        step = np.float32(steps[variable.name])
        np.testing.assert_array_equal(variable.numpy(), step * np.rint(variable.numpy() / step))


def test_statistics_are_constants():
    model, layer = normalizing()
    list(absorb_statistics(model))
    assert set(layer.moving_mean.numpy()) == {0.0}
    assert set(layer.moving_variance.numpy()) == {np.float32(0.999)}
    assert layer.epsilon == 1e-3


@pytest.mark.parametrize(
    ("layer", "norm", "silent"),
    [
        (lambda: L.Conv2D(8, 3, padding="same", use_bias=False), {}, [1, 6]),
        (lambda: L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", use_bias=False), {}, [1, 6]),
        (lambda: L.Conv2DTranspose(8, 3, padding="same", use_bias=False), {}, [1, 6]),
        (lambda: L.Dense(8, use_bias=False), {}, [1, 6]),
        (lambda: L.Conv2D(8, 3, padding="same"), {}, []),
        (lambda: L.Conv2D(8, 3, padding="same", use_bias=False, activation="sigmoid"), {}, []),
        (lambda: L.Conv2D(8, 3, padding="same", use_bias=False), {"center": False}, []),
        (lambda: L.Conv2D(8, 3, padding="same", use_bias=False), {"axis": 1}, []),
    ],
    ids=["convolution", "depthwise", "transposed", "dense", "bias", "activation", "no beta", "another axis"],
)
def test_channels_that_are_always_0_have_no_factor(layer, norm, silent):
    random = np.random.default_rng(1)
    inputs = tf.keras.Input((8, 8, 4))
    layer, norm = layer(), L.BatchNormalization(**norm)
    model = tf.keras.Model(inputs, norm(layer(inputs)))
    kernel = layer.get_weights()[0]
    if isinstance(layer, L.Conv2DTranspose):
        kernel[..., [1, 6], :] = 0
    else:
        kernel.reshape(-1, 8)[:, [1, 6]] = 0
    layer.set_weights([kernel, *(random.normal(size=8) for _ in layer.get_weights()[1:])])
    weights = {"gamma": random.lognormal(0, 0.3, 8), "beta": random.lognormal(0, 0.3, 8)}
    weights |= {"moving_mean": random.normal(0, 1, 8), "moving_variance": [1, 1e-9, 1, 2, 1, 1, 0, 1]}
    for name, values in weights.items():
        if getattr(norm, name) is not None:
            getattr(norm, name).assign(values)
    samples = random.normal(size=(9, 8, 8, 4)).astype(np.float32)
    before = model.predict(samples, verbose=0)
    list(absorb_statistics(model))
    assert np.flatnonzero(norm.gamma.numpy() == 0).tolist() == silent
    np.testing.assert_allclose(model.predict(samples, verbose=0), before, atol=0.03 * before.std())

"""Every step that trains on networks that not every layer of Keras is ready for: masks, and kernels of zeros."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trainkit.deploy.compress import Promise
from trainkit.deploy.compress.cluster import cluster
from trainkit.deploy.compress.deep_compression import deep_compression
from trainkit.deploy.compress.dynamic_network_surgery import dynamic_network_surgery
from trainkit.deploy.compress.entropy_penalty import entropy_penalty
from trainkit.deploy.compress.keeper import check_model
from trainkit.deploy.compress.kernels import kernels_of
from trainkit.deploy.compress.prune import prune
from trainkit.deploy.compress.quantize import quantize
from trainkit.framework import tf

STEPS = [
    pytest.param(prune, {}, id="Prune"),
    pytest.param(dynamic_network_surgery, {}, id="DynamicNetworkSurgery"),
    pytest.param(cluster, {"clusters": 4}, id="Cluster"),
    pytest.param(deep_compression, {"sparsity": 0.5, "clusters": 4}, id="DeepCompression"),
    pytest.param(entropy_penalty, {}, id="EntropyPenalty"),
]
layers = tf.keras.layers


@pytest.fixture(scope="module")
def masked():
    """A network whose mask goes through layers that take none: the first rows of most digits are empty."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Masking()(layers.Reshape((14, 14))(inputs))
    x = layers.Dense(6, activation="relu", name="dense")(x)
    x = layers.LSTM(6, name="lstm")(layers.Dropout(0.1)(x))
    return tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x))


@pytest.fixture(scope="module")
def empty():
    """A network with a kernel that is all zeros, and the promise of those."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Dense(4, name="first")(layers.GlobalAveragePooling2D()(inputs))
    x = layers.Dense(1, kernel_initializer="zeros", name="narrow")(x)
    return tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x))


def has_mask(model):
    """Whether the recurrent layer is told which rows are empty."""
    return model.get_layer("lstm").input._keras_mask is not None


@pytest.mark.parametrize(("step", "arguments"), STEPS)
def test_masks_go_through_what_trains(step, arguments, masked, context_with):
    context, seen = context_with(), []

    def fine_tune(model, *, epochs, callbacks):
        seen.append(has_mask(model))
        context.fine_tune(model, epochs=epochs, callbacks=callbacks)

    result = step(masked, epochs=1, **arguments, context=replace(context, fine_tune=fine_tune))
    assert all(check.holds for check in check_model(result.model, result.promises, by_channel=False))
    assert seen
    assert all(seen)
    assert has_mask(result.model)


@pytest.mark.parametrize(("step", "arguments"), STEPS)
def test_a_kernel_of_zeros_is_no_obstacle(step, arguments, empty, context_with):
    promise = Promise("Prune", "narrow", "kernel", "zeros", 4, 4)
    result = step(empty, epochs=1, **arguments, context=context_with(promise))
    assert not np.any(kernels_of(result.model)["narrow"])


def test_what_quantize_does_not_round_keeps_its_promises(masked, context_with):
    """A Dense layer that takes a mask is left to calibration, and trains meanwhile."""
    pruned = prune(masked, sparsity=0.5, epochs=1, context=context_with())
    shared = cluster(pruned.model, clusters=4, context=context_with(*pruned.promises))
    promises = (*pruned.promises, *shared.promises)
    result = quantize(shared.model, epochs=1, context=context_with(*promises))
    assert any(layer["status"] == "calibrated" for layer in result.facts["layers"] if layer["layer"] == "dense")
    assert all(check.holds for check in check_model(result.model, promises, by_channel=True))

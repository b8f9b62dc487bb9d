"""What holds of every step that sets weights to 0, on networks of several kinds and from the config to the files."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.deploy.compress.dynamic_network_surgery import dynamic_network_surgery
from trainkit.deploy.compress.keeper import check_model
from trainkit.deploy.compress.kernels import kernels_of
from trainkit.deploy.compress.prune import prune
from trainkit.framework import tf

L = tf.keras.layers
slow = pytest.mark.slow
STEPS = {
    "prune": prune,
    "global": partial(prune, scope="global"),
    "rounds": partial(prune, rounds=2),
    "surgery": dynamic_network_surgery,
}
IN_CONFIG = {
    "global": "Prune: {sparsity: 0.8, scope: global, epochs: 1}",
    "auto": "Prune: {sparsity: auto, accuracy_drop: 2, rounds: 2, epochs: 1}",
    "surgery": "DynamicNetworkSurgery: {sparsity: 0.8, epochs: 1}",
    "paper": "DynamicNetworkSurgery: {sparsity: 0.8, c: {digit: 1.0}, epochs: 1}",
}


def residual():
    image = tf.keras.Input((8, 8, 3), name="image")
    x = L.Conv2D(8, 3, padding="same", name="stem")(image)
    same = L.Conv2D(8, 3, padding="same", name="same")
    y = L.ReLU()(L.BatchNormalization()(same(x)))
    x = L.ReLU()(L.Add()([x, same(y)]))
    x = L.GlobalAveragePooling2D()(L.SeparableConv2D(8, 3, name="separable")(L.DepthwiseConv2D(3)(x)))
    return tf.keras.Model(image, [L.Dense(3, name="one")(x), L.Dense(2, name="two", trainable=False)(x)])


def sequence():
    image = tf.keras.Input((8, 8, 3), name="image")
    x = L.LSTM(6, return_sequences=True)(L.Reshape((8, 24))(image))
    x = L.LayerNormalization()(x + L.MultiHeadAttention(2, 3)(x, x))
    x = L.Conv1D(6, 3, name="conv")(x)
    x = L.Bidirectional(L.GRU(4))(L.TimeDistributed(L.Dense(5))(x))
    return tf.keras.Model(image, [L.Dense(3, name="one")(x), L.Dense(2, name="two")(x)])


@pytest.fixture
def samples():
    random = np.random.default_rng(1)
    return random.normal(size=(32, 8, 8, 3)).astype(np.float32), [random.normal(size=(32, n)) for n in (3, 2)]


@pytest.mark.parametrize(
    ("step", "make"),
    [
        *(pytest.param(STEPS[name], residual, id=f"{name}-residual") for name in STEPS),
        *(pytest.param(STEPS[name], sequence, id=f"{name}-sequence") for name in ("prune", "surgery")),
        *(pytest.param(STEPS[name], sequence, id=f"{name}-sequence", marks=slow) for name in ("global", "rounds")),
    ],
)
def test_kernels_of_any_network_are_pruned_and_nothing_else(step, make, samples, context_with):
    def fine_tune(model, *, epochs, callbacks):
        model.compile("sgd", "mse")
        model.fit(*samples, batch_size=4, epochs=epochs, callbacks=callbacks, verbose=0)

    model = make()
    before = [weight.copy() for weight in model.get_weights()]
    result = step(
        model, sparsity=0.5, epochs=1, context=replace(context_with(), fine_tune=fine_tune, steps_per_epoch=8)
    )
    kernels = kernels_of(result.model)
    assert len(kernels) >= 3
    values = np.concatenate([kernel.ravel() for kernel in kernels.values()])
    assert np.mean(values == 0) == pytest.approx(0.5, abs=0.01)
    assert all(one.holds for one in check_model(result.model, result.promises))
    assert {one.layer for one in result.promises} == kernels.keys()
    assert [(w.name, w.shape) for w in result.model.weights] == [(w.name, w.shape) for w in model.weights]
    zeros = sum(np.count_nonzero(weight == 0) for weight in result.model.get_weights() if weight.ndim > 1)
    assert zeros == np.count_nonzero(values == 0)
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("step", IN_CONFIG.values(), ids=IN_CONFIG)
def test_zeros_are_in_the_files(copy_of_run, step):
    changes = f"deploy.compress=[{step}]", "deploy.export=[TFLite, ONNX]"
    deployment = trainkit.deploy(copy_of_run.directory, changes, console=Console(file=io.StringIO()))
    assert deployment.compressed.steps[1].zeros > 0.3
    assert [file.parity.passed for file in deployment.files] == [True, True]
    assert all(len(file.promises) == 2 and all(kept.holds for kept in file.promises) for file in deployment.files)

"""Entropy-penalized training."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.coding.tensors import write_tensor
from trainkit.deploy.compress.entropy.rate import rate_of
from trainkit.deploy.compress.entropy.report import facts_of
from trainkit.deploy.compress.entropy_penalty import entropy_penalty
from trainkit.deploy.compress.kernels import kernels_of
from trainkit.framework import tf
from trainkit.models.geometry import geometries
from trainkit.runs import Run
from trainkit.training.checkpointing import Checkpointer

L = tf.keras.layers


@pytest.fixture(scope="module")
def penalized(model, context_with):
    return entropy_penalty(model, penalty=0.1, epochs=4, context=context_with(rate=3e-3))


def off_grid(result):
    """How far each weight is from its step times integers, by layer and name."""
    far = {}
    for one in result.facts["weights"]:
        weights = [variable.numpy() for variable in result.model.get_layer(one["layer"]).weights]
        distances = [off(values, one) for values in weights if values.size == one["size"]]
        far[one["layer"], one["weight"]] = min(distances)
    return far


def off(values, fact):
    step = np.float32(fact["step"])
    integers = np.rint(values / step)
    is_other = np.count_nonzero(integers) != fact["nonzeros"]
    return np.inf if is_other else np.abs(values - step * integers.astype(np.float32)).max()


def accuracy_of(model, bench):
    images = bench.test["input"].astype(np.float32)
    return np.mean(model.predict(images, verbose=0).argmax(1) == bench.test_labels)


def test_entropy_penalty_gives_a_plain_model_of_the_same_layers(model, penalized):
    assert [(layer.name, type(layer)) for layer in penalized.model.layers] == [
        (layer.name, type(layer)) for layer in model.layers
    ]
    assert [one.name for one in penalized.model.weights] == [one.name for one in model.weights]
    assert penalized.model.output_names == model.output_names


def test_entropy_penalty_puts_all_weights_on_grids(penalized):
    far = off_grid(penalized)
    assert len(far) == len(penalized.model.weights) == 4
    assert set(far.values()) == {0.0}
    assert penalized.facts["values_off_grid"] == 0


def test_entropy_penalty_leaves_its_input_as_it_was(model, context_with):
    before = [weight.copy() for weight in model.get_weights()]
    entropy_penalty(model, epochs=1, context=context_with())
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))


def test_entropy_penalty_costs_little_accuracy(bench, model, penalized):
    assert accuracy_of(penalized.model, bench) > accuracy_of(model, bench) - 0.05


def test_a_higher_penalty_makes_fewer_bytes(model, penalized, context_with):
    higher = entropy_penalty(model, penalty=1.0, epochs=4, context=context_with(rate=3e-3))
    assert higher.facts["estimated_bytes"] < 0.7 * penalized.facts["estimated_bytes"]
    assert higher.facts["nonzeros"] < penalized.facts["nonzeros"]


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 1.3])
def test_bytes_are_at_most_those_that_were_asked_for(share, penalized, context_with):
    wanted = int(share * penalized.facts["estimated_bytes"])
    result = entropy_penalty(penalized.model, penalty=0.1, bytes=wanted, epochs=10, context=context_with(rate=3e-3))
    assert 0.65 * wanted < result.facts["estimated_bytes"] < 1.05 * wanted


def test_entropy_penalty_promises_zeros_and_values(penalized):
    found = {(one.layer, one.kind): one.limit for one in penalized.promises}
    kernel = kernels_of(penalized.model)["digit"]
    assert found["digit", "zeros"] == (kernel == 0).sum() > 0
    assert found["digit", "distinct values"] == len(np.unique(kernel))


def test_entropy_penalty_keeps_the_zeros_of_pruning(pruned, context_with):
    result = entropy_penalty(pruned.model, penalty=0.0, epochs=1, context=context_with(*pruned.promises))
    before, after = kernels_of(pruned.model), kernels_of(result.model)
    assert all(np.all(after[name][kernel == 0] == 0) for name, kernel in before.items())


def test_entropy_penalty_tells_the_bytes_of_a_tkz_file(penalized):
    places = geometries(penalized.model)
    assert places
    expected = [len(write_tensor(one.numpy(), geometry=places.get(id(one)))) for one in penalized.model.weights]
    assert sorted(one["tkz_bytes"] for one in penalized.facts["weights"]) == sorted(expected)
    assert penalized.facts["tkz_bytes"] == sum(expected)


def test_estimated_bytes_know_what_is_next_to_each_value():
    inputs = tf.keras.Input((20, 20, 1))
    model = tf.keras.Model(inputs, L.Dense(40, use_bias=False, name="digit")(L.Flatten()(inputs)))
    kernel = np.zeros((20, 20, 40), np.float32)
    for unit, (row, column) in enumerate(np.random.default_rng(1).integers(0, 17, (40, 2))):
        kernel[row : row + 4, column : column + 4, unit] = 1
    model.set_weights([kernel.reshape(400, 40)])
    (fact,) = facts_of(model, [("digit", model.get_layer("digit").kernel, 1.0)])["weights"]
    near, far = (float(rate_of(kernel.reshape(400, 40), layout)[0]) / 8 for layout in ((20, 20, 1, 40), None))
    assert fact["estimated_bytes"] == np.ceil(near) < 0.9 * far


def grids_of(model, context):
    """What a network is trained with, by layer; it is not trained."""
    found = {}

    def look(model, *, epochs, callbacks):
        for layer in model.layers:
            for grid in getattr(layer, "transforms", []):
                found.setdefault(layer.name, []).append(grid)

    entropy_penalty(model, epochs=4, context=replace(context, fine_tune=look))
    return found


def test_entropy_penalty_looks_at_kernels_as_the_coder_does_and_ramps_as_long_where_a_layer_stands_twice(context_with):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    twice = L.Conv2D(1, 3, padding="same", name="twice")
    outputs = L.Dense(10, activation="softmax", name="digit")(L.Flatten()(twice(twice(inputs))))
    grids = grids_of(tf.keras.Model(inputs, outputs), context_with())
    assert [grid.layout for grid in grids["twice"]] == [(3, 3, 1, 1), (1, 1, 1, 1)]
    assert [grid.layout for grid in grids["digit"]] == [(14, 14, 1, 10), (1, 1, 1, 10)]
    assert grids["twice"][0].ramp == 2 * grids["digit"][0].ramp > 0


def test_entropy_penalty_takes_weights_that_are_one_number(context_with):
    inputs = tf.keras.Input((14, 14), name="input")
    x = L.Attention(use_scale=True, name="attention")([inputs, inputs])
    outputs = L.Dense(10, activation="softmax", name="digit")(L.Flatten()(x))
    assert grids_of(tf.keras.Model(inputs, outputs), context_with())["attention"][0].layout == (1, 1, 1, 1)


def test_entropy_penalty_works_on_frozen_layers_and_leaves_them_frozen(bench, context_with):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = L.BatchNormalization(name="norm", trainable=False)(L.Conv2D(4, 3, trainable=False, name="conv")(inputs))
    outputs = L.Dense(10, activation="softmax", name="digit")(L.Flatten()(x))
    result = entropy_penalty(tf.keras.Model(inputs, outputs), epochs=1, context=context_with())
    assert set(off_grid(result).values()) == {0.0}
    assert [one.trainable for one in result.model.layers if one.weights] == [False, False, True]


@pytest.mark.parametrize("dropout, rate", [(0.0, 0.0), (0.4, 0.2), (1.0, 0.5)])
def test_dropout_has_a_share_of_its_rate(dropout, rate, context_with):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    outputs = L.Dense(10, activation="softmax", name="digit")(L.Dropout(0.5, name="drop")(L.Flatten()(inputs)))
    trained = []
    context = replace(context_with(), fine_tune=lambda model, **_: trained.append(model.get_layer("drop").rate))
    result = entropy_penalty(tf.keras.Model(inputs, outputs), epochs=1, dropout=dropout, context=context)
    assert trained == [rate]
    assert result.model.get_layer("drop").rate == 0.5


def residual(inputs):
    x = L.Conv2D(8, 3, padding="same", use_bias=False)(L.Rescaling(1 / 255)(inputs))
    y = L.ReLU()(L.BatchNormalization(momentum=0.9)(x))
    y = L.DepthwiseConv2D(3, padding="same", use_bias=False)(y)
    y = L.BatchNormalization(momentum=0.9, scale=False)(y)
    return L.Flatten()(L.MaxPooling2D()(L.Add()([x, y])))


def recurrent(inputs):
    x = L.Reshape((14, 14))(L.Rescaling(1 / 255)(inputs))
    return L.Bidirectional(L.LSTM(8))(L.LayerNormalization()(x))


def attending(inputs):
    x = L.Dense(8)(L.Reshape((14, 14))(L.Rescaling(1 / 255)(inputs)))
    return L.GlobalAveragePooling1D()(L.LayerNormalization()(x + L.MultiHeadAttention(2, 4)(x, x)))


def shared(inputs):
    dense = L.Dense(14, activation="relu")
    x = L.Reshape((14, 14))(L.Rescaling(1 / 255)(inputs))
    return L.Flatten()(dense(dense(x)))


@pytest.fixture(
    params=[
        residual,
        pytest.param(recurrent, marks=pytest.mark.slow),
        pytest.param(attending, marks=pytest.mark.slow),
        pytest.param(shared, marks=pytest.mark.slow),
    ],
    ids=lambda network: network.__name__,
)
def network(request, bench):
    tf.keras.utils.set_random_seed(1)
    inputs = tf.keras.Input((14, 14, 1), name="input")
    return bench.train(tf.keras.Model(inputs, L.Dense(10, activation="softmax", name="digit")(request.param(inputs))))


def test_entropy_penalty_works_on_other_networks(network, bench, context_with):
    result = entropy_penalty(network, penalty=0.05, epochs=2, context=context_with(rate=3e-3))
    far = off_grid(result)
    assert set(far.values()) == {0.0}
    statistics = sum(int(np.prod(one.shape)) for one in network.non_trainable_weights)
    assert result.facts["values_off_grid"] <= statistics
    assert accuracy_of(result.model, bench) > accuracy_of(network, bench) - 0.1


@pytest.mark.slow
def test_deploy_goes_on_in_the_middle_of_entropy_penalty(tiny_run, copy_of_run, tmp_path, monkeypatch):
    whole = Run(shutil.copytree(tiny_run.directory, tmp_path / "whole"))
    changes = (
        "deploy.compress=[EntropyPenalty: {epochs: 3}]",
        "deploy.export=[ONNX, TFLite]",
        "deploy.fine_tune.learning_rate=3e-3",
    )
    console = Console(file=io.StringIO(), width=120)
    deployment = trainkit.deploy(whole.directory, changes, console=console)
    assert all(file.parity.passed and all(kept.holds for kept in file.promises) for file in deployment.files)
    assert {kept.promise.step for file in deployment.files for kept in file.promises} == {"EntropyPenalty"}
    real = Checkpointer.after_step

    def stop(self, *, is_last):
        real(self, is_last=is_last)
        if self.state.position.step == 20:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpointer, "after_step", stop)
    with pytest.raises(KeyboardInterrupt):
        trainkit.deploy(copy_of_run.directory, changes, console=console)
    monkeypatch.setattr(Checkpointer, "after_step", real)
    again = trainkit.deploy(copy_of_run.directory, changes, console=console)
    assert "goes on at training step 16 of 48" in console.file.getvalue()
    found, expected = (one.compressed.model.get_weights() for one in (again, deployment))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)

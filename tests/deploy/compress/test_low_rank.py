"""Layers become several smaller ones."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.deploy.compress import Measurement
from trainkit.deploy.compress.kernels import kernels_of
from trainkit.deploy.compress.low_rank import low_rank
from trainkit.deploy.compress.prune import prune
from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor

L = tf.keras.layers


@pytest.fixture(scope="module")
def network(bench):
    """A trained network with two layers of low rank, a convolution among them."""
    tf.keras.utils.set_random_seed(2)
    inputs = L.Input((14, 14, 1), name="input")
    x = L.Rescaling(1 / 255)(inputs)
    x = L.Conv2D(8, 3, strides=2, activation="relu", name="conv1")(x)
    x = L.BatchNormalization(name="norm")(L.Conv2D(24, 3, use_bias=False, name="conv2")(x))
    x = L.Dense(48, activation="relu", name="dense")(L.Flatten()(L.ReLU()(x)))
    return bench.train(tf.keras.Model(inputs, L.Dense(10, activation="softmax", name="digit")(x)), epochs=4)


@pytest.fixture(scope="module")
def result(network, context_with):
    return low_rank(network, energy=0.8, layers={"conv1": 0}, epochs=1, context=context_with())


@pytest.fixture
def rows(result):
    return {row["layer"]: row for row in result.facts["layers"]}


def accuracy_of(bench, model):
    given = model.predict(bench.test["input"].astype(np.float32), verbose=0)
    return np.mean(given.argmax(1) == bench.test_labels)


def test_low_rank_gives_a_plain_smaller_model_that_answers_as_well(bench, network, result):
    assert result.model.output_names == ["digit"]
    assert {type(layer).__module__.split(".")[0] for layer in result.model.layers} == {"tf_keras"}
    assert result.model.count_params() < 0.75 * network.count_params()
    assert accuracy_of(bench, result.model) > accuracy_of(bench, network) - 0.05


def test_low_rank_leaves_its_input_as_it_was(network, context_with):
    before = [weight.copy() for weight in network.get_weights()]
    names = [layer.name for layer in network.layers]
    low_rank(network, rank=4, epochs=1, context=context_with())
    assert [layer.name for layer in network.layers] == names
    assert all(np.array_equal(old, new) for old, new in zip(before, network.get_weights(), strict=True))


def test_facts_tell_of_each_layer(result, rows):
    assert rows.keys() == {"conv2", "dense", "digit"}
    conv2, dense = rows["conv2"], rows["dense"]
    assert (conv2["status"], dense["status"]) == ("tucker", "svd")
    assert conv2["parameters"][0] == 9 * 8 * 24
    assert dense["parameters"] == [384 * 48 + 48, dense["rank"][0] * (384 + 48) + 48]
    assert dense["macs"] == [384 * 48, dense["rank"][0] * (384 + 48)]
    assert conv2["macs"][0] == 16 * 9 * 8 * 24 > conv2["macs"][1]
    assert all(0 < row["kernel_error"] <= 0.4473 for row in (conv2, dense))  # what 0.8 leaves: √0.2
    assert all(0 < row["output_error"] < 0.5 for row in (conv2, dense))
    json.dumps(result.facts)


def test_facts_hold_for_the_network_itself(result, rows):
    kernels = kernels_of(result.model)
    parts = [kernel for name, kernel in kernels.items() if name.startswith("dense.")]
    assert sum(part.size for part in parts) + 48 == rows["dense"]["parameters"][1]


def test_layers_that_would_not_become_smaller_are_left_alone(network, context_with):
    result = low_rank(network, rank=9, epochs=1, context=context_with())
    rows = {row["layer"]: row for row in result.facts["layers"]}
    assert rows["digit"] == {
        "layer": "digit",
        "class_name": "Dense",
        "status": "whole",
        "reason": "its factors would have no fewer weights",  # 9 × 58 and 480 values
    }
    assert type(result.model.get_layer("digit")) is L.Dense
    assert rows["dense"]["rank"] == [9]


def test_first_convolution_over_all_places_may_cost_more_than_it_saves(context_with):
    inputs = L.Input((14, 14, 1), name="input")
    x = L.Conv2D(16, 1, name="wide")(inputs)
    x = L.Conv2D(8, 3, strides=4, name="steps")(x)
    model = tf.keras.Model(inputs, L.Dense(10, activation="softmax", name="digit")(L.Flatten()(x)))
    with pytest.raises(InputError, match="steps: its factors would have more to compute"):
        low_rank(model, layers={"steps": 6}, context=context_with())


def test_patterns_alone_factor_nothing_else(network, context_with):
    result = low_rank(network, layers={"conv2": 4, "d*": 0}, method="cp", epochs=1, context=context_with())
    assert [row["layer"] for row in result.facts["layers"]] == ["conv2"]
    names = [layer.name for layer in result.model.layers]
    assert names[3:7] == ["conv2.first", "conv2.vertical", "conv2.horizontal", "conv2.last"]


def test_accuracy_drop_takes_the_smallest_ranks_that_keep_to_it(network, context_with):
    measured = []

    def validate(model, samples):
        found = context_with().measure(model)
        measured.append((model.count_params(), found.accuracy))
        return found

    context = replace(context_with(rate=0.0), validate=validate)
    result = low_rank(network, accuracy_drop=1.0, epochs=1, context=context)
    (_, before), *looks = measured
    kept = [count for count, accuracy in looks if before - accuracy <= 0.01]
    assert result.model.count_params() == min(kept)
    assert len({count for count, _ in looks}) > 3
    assert 0 < result.facts["energy"] < 1


def test_accuracy_drop_that_nothing_keeps_to_is_refused(network, context_with):
    accuracies = iter([0.9, *[0.5] * 20])
    context = replace(context_with(), validate=lambda model, samples: Measurement(0.1, next(accuracies)))
    with pytest.raises(InputError, match=r"`accuracy_drop` must be at least 40\.00 points.*accuracy_drop=1\.0"):
        low_rank(network, accuracy_drop=1.0, context=context)


def test_accuracy_drop_wants_an_accuracy(network, context_with):
    context = replace(context_with(), validate=lambda model, samples: Measurement(0.1, None))
    with pytest.raises(InputError, match="`accuracy_drop` must go with an output that is a class"):
        low_rank(network, accuracy_drop=1.0, context=context)


def test_low_rank_refuses_to_do_nothing(network, context_with):
    with pytest.raises(InputError, match=r"must have a layer that becomes smaller. Received: conv1: its factors"):
        low_rank(network, rank=1000, context=context_with())


def test_a_rank_for_a_layer_that_cannot_be_factored_is_refused(context_with):
    inputs = L.Input((14, 14, 4), name="input")
    model = tf.keras.Model(inputs, L.Conv2D(8, 3, groups=2, name="grouped")(inputs))
    with pytest.raises(InputError, match=r"Received: 'grouped': 3, but its channels are convolved in groups"):
        low_rank(model, layers={"group*": 3}, context=context_with())


def test_pruning_goes_on_with_the_parts(result, context_with):
    pruned = prune(result.model, sparsity=0.0, layers={"dense": 0.7}, epochs=1, context=context_with())
    assert {promise.layer for promise in pruned.promises} == {"dense.left", "dense.right"}
    for part in ("dense.left", "dense.right"):
        assert np.mean(kernels_of(pruned.model)[part] == 0) == pytest.approx(0.7, abs=0.01)


def test_residual_network_is_factored(context_with):
    tf.keras.utils.set_random_seed(3)
    inputs = L.Input((14, 14, 1), name="input")
    x = stem = L.ReLU()(L.BatchNormalization()(L.Conv2D(16, 3, padding="same", strides=2, name="stem")(inputs)))
    for index in (1, 2):
        x = L.BatchNormalization()(L.Conv2D(16, 3, padding="same", use_bias=False, name=f"conv{index}")(x))
        x = L.ReLU()(x)
    x = L.GlobalAveragePooling2D()(L.Add()([x, stem]))
    model = tf.keras.Model(inputs, L.Dense(10, activation="softmax", name="digit")(x))
    result = low_rank(model, rank=6, epochs=1, context=context_with())
    assert {row["layer"]: row["status"] for row in result.facts["layers"]} == {
        "stem": "whole",  # of one channel: 6 × (9 + 16) values are no fewer than 9 × 16
        "conv1": "tucker",
        "conv2": "tucker",
        "digit": "svd",
    }
    assert "conv2.core" in [layer.name for layer in result.model.layers]


def test_recurrent_network_keeps_its_cells(context_with):
    inputs = L.Input((14, 14, 1), name="input")
    x = L.LSTM(12, return_sequences=True, name="lstm")(L.Reshape((14, 14))(inputs))
    x = L.Dense(32, activation="relu", name="each")(L.Conv1D(24, 3, padding="causal", name="conv")(x))
    x = L.MultiHeadAttention(2, 8, name="attention")(x, x)
    model = tf.keras.Model(inputs, L.Dense(10, activation="softmax", name="digit")(L.Flatten()(x)))
    result = low_rank(model, rank=5, epochs=1, context=context_with())
    assert {row["layer"]: row["status"] for row in result.facts["layers"]} == {
        "conv": "tucker",
        "each": "svd",
        "digit": "svd",
    }
    assert result.model.get_layer("lstm").count_params() == model.get_layer("lstm").count_params()


def deploy(run, *overrides):
    return trainkit.deploy(run.directory, overrides, console=Console(file=io.StringIO(), width=120))


def test_low_rank_comes_to_verified_files(copy_of_run):
    step = "deploy.compress=[LowRank: {layers: {digit: 4}, epochs: 1}]"
    deployment = deploy(copy_of_run, step, "deploy.export=[TFLite: {precision: float32}, ONNX]")
    assert [file.parity.passed for file in deployment.files] == [True, True]
    compressed = KerasPredictor(copy_of_run.deploy / "compressed.keras").model
    assert [layer.name for layer in compressed.layers][-3:] == ["digit.left", "digit.right", "digit"]
    record = json.loads((copy_of_run.deploy / "compression.json").read_text())
    (row,) = record["steps"][1]["facts"]["layers"]
    assert (row["layer"], row["rank"]) == ("digit", [4])
    assert record["steps"][1]["bytes"] < record["steps"][0]["bytes"]
    assert "digit" in (page := (copy_of_run.deploy / "report.html").read_text())
    assert "1 svd" in page


@pytest.mark.slow
def test_pruning_clustering_and_quantization_go_on_with_factors(copy_of_run):
    steps = (
        "LowRank: {rank: 4, method: cp, epochs: 1}, Prune: {sparsity: 0.5, epochs: 1}, "
        "Cluster: {layers: {digit.right: 0}, clusters: 8}, Quantize: {epochs: 1}"
    )
    export = "deploy.export=[TFLite: {precision: int8}, ONNX: {precision: int8}]"
    deployment = deploy(copy_of_run, f"deploy.compress=[{steps}]", export)
    assert all(file.parity.passed for file in deployment.files)
    promised = {kept.promise.layer for file in deployment.files for kept in file.promises if kept.holds}
    assert {"digit.left", "digit.right"} <= promised

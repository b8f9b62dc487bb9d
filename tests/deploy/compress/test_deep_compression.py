"""Deep Compression."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.deploy.compress.deep_compression import deep_compression, storage_facts
from trainkit.deploy.compress.kernels import kernels_of
from trainkit.errors import ConfigError, InputError
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.inference.unpack import unpack_file
from trainkit.runs import Run
from trainkit.training.checkpointing import Checkpointer

STEP = "deploy.compress=[DeepCompression: {sparsity: 0.8, clusters: 8, epochs: 2, cluster_epochs: 2}]"
EXPORT = "deploy.export=[Tkz, ONNX, TFLite: {precision: float32}]"
layers = tf.keras.layers


@pytest.fixture(scope="module")
def compressed(model, context_with):
    arguments = {"layers": {"conv*": 0.3}, "layer_clusters": {"conv*": 6}}
    return deep_compression(model, sparsity=0.8, clusters=8, epochs=1, **arguments, context=context_with())


def test_kernels_are_pruned_and_share_values(compressed):
    convolution, digit = kernels_of(compressed.model).values()
    assert float(np.mean(digit == 0)) == pytest.approx(0.8, abs=1e-3)
    assert 0.29 <= float(np.mean(convolution == 0)) < 0.36  # of 54 values some may come to share 0
    assert (len(np.unique(convolution)), len(np.unique(digit))) == (6, 8)


def test_it_promises_both(compressed):
    assert [(one.step, one.kind) for one in compressed.promises] == [
        *[("Prune", "zeros")] * 2,
        *[("Cluster", "distinct values")] * 2,
    ]


def test_facts_are_the_table_of_the_paper(compressed):
    rows = json.loads(json.dumps(compressed.facts))["storage"]
    assert [row["layer"] for row in rows] == [*kernels_of(compressed.model), "all"]
    digit, whole = rows[-2:]
    assert digit["kept_percent"] == pytest.approx(20, abs=0.1)
    assert (digit["weight_bits"], whole["values"]) == (3, sum(row["values"] for row in rows[:-1]))
    assert digit["coded_weight_bits"] <= 3
    assert digit["coded_index_bits"] <= digit["index_bits"]
    assert whole["bytes"] == sum(row["bytes"] for row in rows[:-1])
    assert max(whole["tkz_bytes"], whole["coded_bytes"]) < whole["bytes"]
    assert whole["rate_percent"] == pytest.approx(100 * whole["bytes"] / (4 * whole["values"]), abs=0.01)


def test_storage_is_that_of_the_paper_for_a_layer_like_its_first_one():
    """LeNet-300-100's ip1: 235K weights, 8% kept, of 64 values: 6 bits, 5 bits of distance, 2.32%."""
    draw = np.random.default_rng(0)
    shared = draw.normal(0, 1, 63).astype(np.float32)
    kernel = np.where(draw.random((784, 300)) < 0.08, draw.choice(shared, (784, 300)), 0).astype(np.float32)
    inputs = tf.keras.Input((784,))
    model = tf.keras.Model(inputs, layers.Dense(300, use_bias=False, name="ip1")(inputs))
    model.set_weights([kernel])
    row, _ = storage_facts(model, ["ip1"])["storage"]
    assert (row["weight_bits"], row["index_bits"]) == (6, 5)
    assert row["rate_percent"] == pytest.approx(2.9, abs=0.3)  # before Huffman, whose gain is in the values


def residual():
    inputs = x = tf.keras.Input((14, 14, 1), name="input")
    x = y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same", use_bias=False)(x)))
    y = layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same", use_bias=False)(y))
    x = layers.GlobalAveragePooling2D()(layers.Add()([x, y]))
    return tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x))


def recurrent():
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.LSTM(6)(layers.Reshape((14, 14))(inputs))
    return tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x))


@pytest.mark.parametrize("make", [residual, pytest.param(recurrent, marks=pytest.mark.slow)])
def test_other_networks_are_compressed_too(make, context_with):
    model = make()
    before = [weight.copy() for weight in model.get_weights()]
    result = deep_compression(model, sparsity=0.5, clusters=8, epochs=1, context=context_with())
    assert all(map(np.array_equal, before, model.get_weights()))
    assert all(len(np.unique(kernel)) <= 8 for kernel in kernels_of(result.model).values())
    assert all(np.mean(kernel == 0) >= 0.49 for kernel in kernels_of(result.model).values())


def test_a_pattern_that_fits_no_layer_is_refused(model, context_with):
    with pytest.raises(InputError, match="must fit a layer with a kernel"):
        deep_compression(model, layers={"none*": 0.5}, context=context_with())


def test_nothing_to_share_is_found_before_anything_is_trained(model, context_with):
    context = replace(context_with(), fine_tune=None)
    with pytest.raises(InputError, match="DeepCompression must leave a kernel of more than 8 values"):
        deep_compression(model, clusters=8, layer_clusters={"*": 0}, context=context)


def test_storage_is_told_of_all_that_was_pruned(model, context_with):
    arguments = {"sparsity": 0.8, "clusters": 8, "layer_clusters": {"digit": 0}, "epochs": 1}
    rows = deep_compression(model, **arguments, context=context_with()).facts["storage"]
    assert [row["layer"] for row in rows] == [*kernels_of(model), "all"]
    assert rows[-2]["kept_percent"] == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("[Cluster, DeepCompression]", "DeepCompression must not come after Cluster"),
        ("[DeepCompression, Prune]", "Prune must not come after DeepCompression"),
        ("[DeepCompression: {layer_clusters: {digit: 1}}]", "must give 2 and more clusters"),
        ("[DeepCompression: {layer_clusters: {none: 4}}]", "`layer_clusters` must fit a layer with a kernel"),
    ],
    ids=["after Cluster", "before Prune", "one value", "pattern"],
)
def test_what_cannot_hold_is_refused_before_anything_is_trained(steps, told, copy_of_run):
    with pytest.raises(ConfigError, match=told):
        trainkit.deploy(copy_of_run.directory, [f"deploy.compress={steps}"], console=Console(file=io.StringIO()))


def test_a_run_is_compressed_and_every_file_is_proved(copy_of_run):
    deployment = trainkit.deploy(copy_of_run.directory, [STEP, EXPORT], console=Console(file=io.StringIO()))
    assert all(file.parity.passed for file in deployment.files)
    assert all(kept.holds for file in deployment.files for kept in file.promises)
    assert {file.file: len(file.promises) for file in deployment.files} == {
        "tiny.tkz": 4,
        "tiny.onnx": 4,
        "tiny_float32.tflite": 4,
    }
    tkz, onnx, _ = deployment.files
    assert tkz.bytes < onnx.gzip_bytes / 2
    made = unpack_file(copy_of_run.deploy / "tiny.tkz")
    models = [KerasPredictor(path).model for path in (made.filepath, copy_of_run.deploy / "compressed.keras")]
    weights = [[weight.tobytes() for weight in model.get_weights()] for model in models]
    assert weights[0] == weights[1]


@pytest.mark.slow
@pytest.mark.parametrize("steps", [20, 32 + 20], ids=["pruning", "sharing"])
def test_a_deploy_that_is_stopped_goes_on_in_either_training(steps, tiny_run, copy_of_run, tmp_path, monkeypatch):
    whole = Run(shutil.copytree(tiny_run.directory, tmp_path / "whole"))
    changes = [STEP, "deploy.export=[ONNX]"]
    trainkit.deploy(whole.directory, changes, console=Console(file=io.StringIO()))
    real, done = Checkpointer.after_step, []

    def after_step(self, *, is_last):
        real(self, is_last=is_last)
        done.append(self.state.position.step)
        if len(done) == steps:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpointer, "after_step", after_step)
    console = Console(file=io.StringIO(), width=120)
    with pytest.raises(KeyboardInterrupt):
        trainkit.deploy(copy_of_run.directory, changes, console=console)
    trainkit.deploy(copy_of_run.directory, changes, console=console)
    told = console.file.getvalue()
    assert f"in the middle of it, at training step {16 if steps < 32 else 32 + 16}" in told
    assert "goes on at training step 16 of 32" in told
    models = [KerasPredictor(one.deploy / "compressed.keras").model for one in (copy_of_run, whole)]
    for found, expected in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

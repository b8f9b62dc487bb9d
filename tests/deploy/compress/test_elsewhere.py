"""Compression of what is no plain network on one input: models made elsewhere, tables, several outputs."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.errors import ConfigError
from trainkit.framework import tf
from trainkit.runs import Run

layers = tf.keras.layers
DATA = """\
version: 1
data:
  source: {Npz: {path: digits.npz, test: digits_test.npz}}
  batch_size: 50
training:
  optimizer: {Adam: {learning_rate: 1e-2}}
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
deploy:
  benchmark: false
  compress:
    - Prune: {sparsity: 0.5, layers: {encoder.*: 0.6}, epochs: 1}
    - Quantize: {epochs: 1}
  export:
    - TFLite: {precision: int8}
    - SavedModel
"""


@pytest.fixture(scope="module")
def elsewhere(bench, tmp_path_factory):
    """A folder with a model of another training: another model inside, in half precision, a name with a capital."""
    folder = tmp_path_factory.mktemp("elsewhere")
    bench.save(folder)
    (folder / "data.yaml").write_text(DATA)
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        inside = tf.keras.Sequential(
            [
                layers.Conv2D(6, 3, strides=2, use_bias=False, name="conv"),
                layers.BatchNormalization(momentum=0.9, name="norm"),
                layers.ReLU(),
            ],
            name="encoder",
        )
        inputs = tf.keras.Input((14, 14, 1), name="image")
        x = layers.Flatten()(inside(layers.Rescaling(1 / 255)(inputs)))
        outputs = layers.Dense(10, activation="softmax", dtype="float32", name="Predictions")(x)
        model = bench.train(tf.keras.Model(inputs, outputs))
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    model.save(folder / "nested.keras")
    return folder


def quiet_deploy(path, *overrides, **arguments):
    return trainkit.deploy(path, overrides, console=Console(file=io.StringIO()), **arguments)


def test_model_made_elsewhere_is_compressed(elsewhere):
    deployment = quiet_deploy(elsewhere / "nested.keras", data=elsewhere / "data.yaml")
    int8, saved = deployment.files
    assert all(kept.holds for file in (int8, saved) for kept in file.promises)
    assert [kept.promise.layer for kept in saved.promises] == ["encoder.conv", "predictions"]
    assert saved.parity.passed
    assert int8.parity.agreement >= 0.98
    layers_told = {layer["layer"]: layer["status"] for layer in deployment.compressed.steps[-1].facts["layers"]}
    assert layers_told["encoder.norm"] == "folded"
    assert (elsewhere / "nested_compress/2_Quantize.npz").is_file()
    assert list((elsewhere / "nested_compress/tensorboard/1_Prune").iterdir())


def test_second_deploy_of_a_model_made_elsewhere_trains_nothing(elsewhere):
    console = Console(file=io.StringIO())
    export = "deploy.export=[ONNX, TFLite: {precision: int8}]"
    arguments = {"data": elsewhere / "data.yaml", "console": console}
    trainkit.deploy(elsewhere / "nested.keras", [export], **arguments)
    assert console.file.getvalue().count("as before") == 2


def test_model_made_elsewhere_needs_a_loss(elsewhere):
    (elsewhere / "mute.yaml").write_text(DATA.partition("training:")[0] + "deploy: {compress: [Prune]}\n")
    with pytest.raises(ConfigError, match=r"deploy\.compress: needs `training` with a loss: compression steps go on"):
        quiet_deploy(elsewhere / "nested.keras", data=elsewhere / "mute.yaml")


@pytest.mark.parametrize(
    "loss, told",
    [
        ("MeanSquaredError", "MeanSquaredError does not take class ids, which the data has"),
        ("BinaryCrossentropy", "BinaryCrossentropy takes 2 classes; the data has 10"),
    ],
)
def test_loss_that_does_not_go_with_the_targets_is_refused_before_training(elsewhere, loss, told):
    (elsewhere / "wrong.yaml").write_text(DATA.replace("SparseCategoricalCrossentropy", loss))
    with pytest.raises(ConfigError, match=told):
        quiet_deploy(elsewhere / "nested.keras", data=elsewhere / "wrong.yaml")


def test_several_outputs_are_compressed(two_run, tmp_path):
    run = Run(shutil.copytree(two_run.directory, tmp_path / "001"))
    steps = "deploy.compress=[Prune: {sparsity: 0.5, epochs: 3}, Cluster: {clusters: 16, layers: {size: 0}}]"
    (file,) = quiet_deploy(run.directory, steps, "deploy.export=[ONNX]").files
    assert file.parity.passed
    assert file.outputs.keys() == {"kind", "size"}
    assert {(kept.promise.step, kept.promise.layer) for kept in file.promises} == {
        *(("Prune", name) for name in ("trunk", "kind", "size")),
        *(("Cluster", name) for name in ("trunk", "kind")),
    }
    record = json.loads((run.deploy / "compression.json").read_text())
    assert [step["loss"] > 0 for step in record["steps"]] == [True] * 3


@pytest.mark.slow
def test_tables_with_vocabularies_are_compressed(tmp_path):
    random = np.random.default_rng(0)
    kind, amount = random.integers(0, 3, 400), random.choice([-1, 1], 400) * random.uniform(0.3, 2, 400)
    target = (kind == 1) ^ (amount > 0)
    rows = zip(np.array(["red", "green", "blue"])[kind], amount, np.where(target, "yes", "no"), strict=True)
    (tmp_path / "table.csv").write_text("kind,amount,answer\n" + "".join(f"{a},{b:.4f},{c}\n" for a, b, c in rows))
    (tmp_path / "table.yaml").write_text(
        "version: 1\nname: table\ndata:\n  source: {Csv: {path: table.csv}}\n  targets: answer\n  test_split: 0.2\n"
        "  inputs: {kind: kind, amount: amount}\nmodel:\n  inputs: {kind: {shape: [1], dtype: string}, amount: "
        "{shape: [1]}}\n  preprocess: {kind: [StringLookup: {output_mode: one_hot}], amount: [Normalization]}\n"
        "  layers:\n    - Concatenate:\n      inputs: [kind, amount]\n    - Dense: {units: 16, activation: relu}\n"
        "    - Dense: {units: $classes, activation: softmax}\ntraining:\n  epochs: 20\n"
        "  optimizer: {Adam: {learning_rate: 1e-2}}\n  loss: SparseCategoricalCrossentropy\n"
        "deploy: {benchmark: false}\n"
    )
    run = trainkit.fit(tmp_path / "table.yaml", runs=tmp_path / "runs", console=Console(file=io.StringIO()))
    steps = "deploy.compress=[Prune: {epochs: 2}, Quantize: {epochs: 2}]"
    files = quiet_deploy(run.directory, steps, "deploy.export=[TFLite: {precision: int8}, ONNX]").files
    assert all(file.parity.passed and all(kept.holds for kept in file.promises) for file in files)
    (again,) = quiet_deploy(run.directory, steps, "deploy.export=[TFLite: {precision: int8}]").files
    assert again.sha256 == files[0].sha256

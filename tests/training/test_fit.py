"""Training into a run directory."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import trainkit
from trainkit.config import load_config
from trainkit.data.sources.sample import sample
from trainkit.errors import ConfigError, InputError, OutputError, TrainingError
from trainkit.framework import tf
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training import prepare
from trainkit.training.restoring import restore_weights, without_optimizer


def test_fit_leaves_everything_in_the_run_directory(small_run):
    names = {path.name for path in small_run.directory.iterdir()}
    assert names == {
        ".lock",
        "checkpoints",
        "config.yaml",
        "data.json",
        "history.csv",
        "manifest.json",
        "metrics.json",
        "model.keras",
        "resolved.yaml",
        "tensorboard",
        "train.log",
    }


def test_fit_keeps_the_config_as_given_and_resolved(small_run, small_config):
    assert small_run.config.read_text() == small_config.read_text()
    resolved = load_config(small_run.resolved)
    assert resolved.resolved() == load_config(small_config, ["training.epochs=3"]).resolved()


def test_fit_writes_one_row_of_history_an_epoch(small_run):
    with small_run.history.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert {"seconds", "learning_rate", "val_loss", "val_sparse_categorical_accuracy"} <= rows[0].keys()


def test_fit_records_how_it_ended_and_on_what(small_run):
    manifest = small_run.read_manifest()
    assert manifest["outcome"] == "finished"
    assert manifest["data"]["samples"] == {"train": 9_000, "validation": 1_000, "test": 2_000}
    assert len(manifest["data"]["fingerprint"]) == 64
    assert manifest["versions"]["tensorflow"] == tf.__version__


def test_fit_measures_the_saved_model_on_the_test_set(small_run):
    metrics = json.loads(small_run.metrics.read_text())
    model = tf.keras.models.load_model(small_run.model, compile=False)
    test = sample().test.columns
    images, labels = test["image"].array.astype("float32"), test["label"].array
    answers = model.predict(images, verbose=0).argmax(axis=1)
    assert metrics["test"]["accuracy"] == pytest.approx((answers == labels).mean())
    assert metrics["test"]["metrics"]["sparse_categorical_accuracy"] == pytest.approx(metrics["test"]["accuracy"])
    matrix = np.array(metrics["test"]["confusion_matrix"])
    assert matrix.trace() / matrix.sum() == pytest.approx(metrics["test"]["accuracy"])
    np.testing.assert_array_equal(matrix.sum(axis=1), np.bincount(labels, minlength=10))
    assert metrics["test"]["accuracy"] > 0.8


def test_fit_saves_the_weights_of_the_best_epoch(small_run):
    with small_run.history.open() as file:
        losses = [float(row["val_loss"]) for row in csv.DictReader(file)]
    best = json.loads(small_run.metrics.read_text())["best"]
    assert (best["epoch"], best["value"]) == (1 + losses.index(min(losses)), min(losses))
    model = prepare(load_config(small_run.resolved)).model
    restore_weights(Checkpoints(small_run.checkpoints), 90 * best["epoch"], without_optimizer(model))
    saved = tf.keras.models.load_model(small_run.model, compile=False).get_weights()
    for left, right in zip(model.get_weights(), saved, strict=True):
        np.testing.assert_array_equal(left, right)


def test_fit_writes_scalars_graph_and_config_for_tensorboard(small_run):
    train = EventAccumulator(str(small_run.tensorboard / "train")).Reload()
    tags = train.Tags()
    assert tags["graph"]
    assert {"epoch_loss", "epoch_learning_rate", "epoch_samples_per_second", "config"} <= set(tags["tensors"])
    rates = [tf.make_ndarray(event.tensor_proto) for event in train.Tensors("epoch_samples_per_second")]
    assert len(rates) == 3
    assert min(rates) > 0
    text = tf.make_ndarray(train.Tensors("config")[0].tensor_proto)
    assert b"SparseCategoricalCrossentropy" in text.ravel()[0]


def test_fit_writes_its_log(small_run):
    log = small_run.log.read_text()
    assert "epoch 3/3" in log
    assert "device: " in log
    assert f"next: trainkit deploy {small_run.directory}" in log


def test_fit_gives_the_next_run_the_next_number(small_config, tmp_path):
    overrides = ["training.epochs=1"]
    runs = [trainkit.fit(small_config, overrides, runs=tmp_path).directory.name for _ in range(2)]
    assert runs == ["001", "002"]


def test_fit_takes_a_mapping(small_config, tmp_path):
    mapping = load_config(small_config).resolved()
    run = trainkit.fit(mapping, ["training.epochs=1", "data.batch_size=500"], runs=tmp_path)
    assert load_config(run.config).experiment.data.batch_size == 500


def test_fit_runs_the_callbacks_of_the_config(small_config, tmp_path):
    callbacks = f"""training.callbacks=[
        {{EarlyStopping: {{monitor: loss, patience: 0, min_delta: 100}}}},
        {{CSVLogger: {{filename: {tmp_path}/log.csv}}}},
        {{TensorBoard: {{histogram_freq: 1}}}}]"""
    run = trainkit.fit(small_config, ["training.epochs=5", callbacks], runs=tmp_path)
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3  # a header, and two epochs until patience is over
    tags = EventAccumulator(str(run.tensorboard / "train")).Reload().Tags()["tensors"]
    assert any("digit" in tag for tag in tags)  # histograms, which the config asked for


def test_fit_trains_the_order_that_the_seed_gives(small_config, tmp_path):
    runs = [trainkit.fit(small_config, ["training.epochs=1", "seed=5"], runs=tmp_path) for _ in range(2)]
    runs.append(trainkit.fit(small_config, ["training.epochs=1", "seed=6"], runs=tmp_path))
    losses = [float(run.history.read_text().splitlines()[1].split(",")[3]) for run in runs]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0] != pytest.approx(losses[2], rel=1e-3)


def test_fit_of_a_mapping_is_not_misled_by_a_file_called_config(small_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").write_bytes(b"\xff something else")
    run = trainkit.fit(load_config(small_config).resolved(), ["training.epochs=1"], runs="runs")
    assert load_config(run.config).experiment.training.epochs == 1


def test_fit_that_a_callback_stops_says_why(small_config, tmp_path):
    (tmp_path / "file").touch()
    failing = f"training.callbacks=[ModelCheckpoint: {{filepath: {tmp_path}/file/best.keras}}]"
    with pytest.raises(TrainingError, match=r"training failed: \w*Error: .*file/best\.keras"):
        trainkit.fit(small_config, [failing], runs=tmp_path)


def test_fit_says_that_overrides_are_a_list(small_config):
    with pytest.raises(InputError, match=r"must be a list of KEY=VALUE texts\. Received: 'training\.epochs=1'"):
        trainkit.fit(small_config, "training.epochs=1")


def test_fit_refuses_overrides_of_a_config_that_is_loaded(small_config, tmp_path):
    told = r"`overrides` must be given to load_config for a loaded config\. Received: \['seed=5'\]"
    with pytest.raises(InputError, match=told):
        trainkit.fit(load_config(small_config), ["seed=5"], runs=tmp_path)


def test_fit_takes_a_config_that_is_loaded(small_config, tmp_path):
    loaded = load_config(small_config, ["training.epochs=1", "data.batch_size=500"])
    run = trainkit.fit(loaded, runs=tmp_path)
    assert load_config(run.resolved).resolved() == loaded.resolved()


def test_fit_describes_inputs_and_outputs(small_run):
    assert json.loads(small_run.data.read_text())["outputs"] == {"digit": {"classes": list("0123456789")}}
    (described,) = json.loads(small_run.data.read_text())["inputs"].items()
    name, facts = described
    assert (name, facts["shape"], facts["dtype"], facts["columns"]) == ("input", [28, 28, 1], "float32", ["image"])
    assert {key: facts["image"][key] for key in ("height", "width", "channels", "range")} == {
        "height": 28,
        "width": 28,
        "channels": 1,
        "range": [0, 255],
    }


def test_fit_that_is_interrupted_says_so_in_its_manifest(small_config, tmp_path, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("trainkit.callbacks.HistoryFile.on_epoch_end", interrupt)
    console = Console(file=io.StringIO())
    with pytest.raises(KeyboardInterrupt):
        trainkit.fit(small_config, runs=tmp_path, console=console)
    assert json.loads((tmp_path / "small/001/manifest.json").read_text())["outcome"] == "KeyboardInterrupt"
    assert "stopped after 1 epoch, at step 90" in console.file.getvalue()


def test_fit_writes_nothing_where_the_network_is_wrong(small_config, tmp_path):
    with pytest.raises(ConfigError, match="gives 3 values"):
        trainkit.fit(small_config, ["model.layers.digit.units=3"], runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_fit_says_where_a_run_cannot_be_written(small_config, tmp_path):
    (tmp_path / "runs").write_text("a file, not a directory")
    with pytest.raises(OutputError, match=r"runs/small cannot be written: Not a directory.*--runs"):
        trainkit.fit(small_config, runs=tmp_path / "runs")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_fit_says_that_a_directory_is_read_only(small_config, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        trainkit.fit(small_config, runs=tmp_path / "runs")


def test_fit_refuses_a_disk_without_room(small_config, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    with pytest.raises(OutputError, match=r"must have 2\d MB free for this run\. Received: 1\.0 MB"):
        trainkit.fit(small_config, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_fit_removes_a_run_that_could_not_be_described(small_config, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        trainkit.fit(small_config, runs=tmp_path / "runs")
    assert caught.value.exit_code == 2
    assert not (tmp_path / "runs").exists()

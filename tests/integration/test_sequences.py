"""Sequences of different lengths from the file to the exported network, as the documentation tells."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import trainkit
from trainkit.config import load_config
from trainkit.framework import tf
from trainkit.training import prepare

PAGE = (Path(__file__).parents[2] / "docs/data.md").read_text().split("## Sequences of different lengths")[1]
SCRIPT, CONFIG = (re.search(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)[1] for kind in ("python", "yaml"))
LAYERS = "[Masking, LSTM: {units: 8}, {Dense: {units: $classes, activation: softmax}}]"
SMALL = ["training.epochs=1", f"model.layers={LAYERS}", "data.class_weight=balanced", "deploy.benchmark=false"]


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    """The arrays that the documented script writes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("documented"))
        exec(SCRIPT, {})
        return dict(np.load("digits_columns.npz"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, documented):
    """The documented config, and the first digits of its file."""
    folder = tmp_path_factory.mktemp("sequences")
    arrays = {}
    for part, size in (("train", 1000), ("test", 300)):
        lengths = documented[f"x_{part}_lengths"][:size]
        arrays[f"x_{part}"] = documented[f"x_{part}"][: lengths.sum()]
        arrays |= {f"x_{part}_lengths": lengths, f"y_{part}": documented[f"y_{part}"][:size]}
    np.savez(folder / "digits_columns.npz", **arrays)
    (folder / "config.yaml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="module")
def run(folder):
    """A short training."""
    return trainkit.fit(folder / "config.yaml", SMALL, runs=folder / "runs")


@pytest.fixture
def digits(folder):
    """The test digits of the file: steps, lengths, labels."""
    with np.load(folder / "digits_columns.npz") as file:
        return file["x_test"], file["x_test_lengths"], file["y_test"]


def test_documented_file_holds_digits_of_3_to_20_columns(documented):
    steps, lengths, labels = (documented[name] for name in ("x_test", "x_test_lengths", "y_test"))
    assert (lengths.min(), lengths.max(), len(labels)) == (3, 20, 2000)
    assert steps.shape == (lengths.sum(), 28)
    assert steps.any(axis=1).all()


def test_run_is_measured_again_alike(run):
    metrics = json.loads(run.metrics.read_text())["test"]
    assert metrics["samples"] == 300
    assert trainkit.evaluate(run.directory)["metrics"] == pytest.approx(metrics["metrics"], abs=1e-6)


def test_predictions_of_a_file_do_not_depend_on_the_other_samples(run, digits, tmp_path):
    steps, lengths, _ = digits
    ends = np.cumsum(lengths)
    shortest = int(lengths.argmin())
    np.savez(tmp_path / "all.npz", x=steps, x_lengths=lengths)
    np.savez(tmp_path / "one.npz", x=steps[ends[shortest] - lengths.min() : ends[shortest]], x_lengths=[lengths.min()])
    *together, alone = trainkit.predict(run.directory, [tmp_path / "all.npz", tmp_path / "one.npz"], top=10)
    assert len(together) == 300
    assert dict(alone.classes["dense1"]) == pytest.approx(dict(together[shortest].classes["dense1"]), abs=1e-6)


def test_onnx_answers_like_the_model_and_predicts_sequences(run, digits, tmp_path):
    deployment = trainkit.deploy(run.directory)
    (file,) = deployment.files
    assert file.parity.passed
    assert file.facts["inputs"]["input"]["shape"] == [None, None, 28]
    steps, lengths, _ = digits
    np.savez(tmp_path / "new.npz", x=steps[: lengths[:5].sum()], x_lengths=lengths[:5])
    of_file, of_run = (
        [prediction.classes["dense1"][0] for prediction in trainkit.predict(path, [tmp_path / "new.npz"])]
        for path in (deployment.directory / file.file, run.directory)
    )
    assert [name for name, _ in of_file] == [name for name, _ in of_run]
    assert [share for _, share in of_file] == pytest.approx([share for _, share in of_run], abs=1e-5)


def test_texts_are_padded_and_masked_by_their_own_layers(tmp_path):
    rows = [f"{'the road was ' * (index % 4)}{word},{word}" for index, word in enumerate(["good", "bad"] * 30)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,mood", *rows, ""]))
    config = {
        "version": 1,
        "name": "texts",
        "data": {"source": {"Csv": {"path": str(tmp_path / "texts.csv")}}, "targets": "mood", "test_split": 0.2},
        "model": {
            "inputs": {"text": {"shape": [1], "dtype": "string"}},
            "layers": [
                "TextVectorization",
                {"Embedding": {"input_dim": "$tokens", "output_dim": 8, "mask_zero": True}},
                {"Bidirectional": {"layer": {"LSTM": {"units": 4}}}},
                {"Dense": {"units": 1, "activation": "sigmoid"}, "name": "mood"},
            ],
        },
        "training": {"loss": "BinaryCrossentropy"},
    }
    model = prepare(load_config(config)).model
    alone, together = model(tf.constant([["good"]])), model(tf.constant([["good"], ["the road was the road was bad"]]))
    assert alone.numpy()[0] == pytest.approx(together.numpy()[0], abs=1e-6)
    assert together.numpy()[0] != pytest.approx(together.numpy()[1], abs=1e-3)

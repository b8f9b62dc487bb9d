"""`trainkit.evaluate`: the same figures for a run and for every file that was made of it."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest

import trainkit
from trainkit.data.sources.sample import sample
from trainkit.errors import ConfigError, InputError, PredictionError, RunError
from trainkit.inference import IsolatedPredictor
from trainkit.runs import Run
from trainkit.training import evaluate as module

DATA = "version: 1\ndata: {source: Sample}\n"
LOSS = "training: {loss: SparseCategoricalCrossentropy, metrics: [SparseCategoricalAccuracy]}\n"
FILES = {"model": "model.keras", "tflite": "deploy/small_float32.tflite", "onnx": "deploy/small.onnx"}


@pytest.fixture(scope="module")
def deployed(small_run, tmp_path_factory):
    """A run with its exported files."""
    directory = tmp_path_factory.mktemp("deployed") / "small/001"
    shutil.copytree(small_run.directory, directory)
    trainkit.deploy(directory)
    return Run(directory)


@pytest.fixture(scope="module")
def expected(deployed):
    """What is measured of the run."""
    return trainkit.evaluate(deployed.directory)


@pytest.fixture
def data(tmp_path):
    """A config that says which data, and no more."""
    (tmp_path / "data.yaml").write_text(DATA)
    return tmp_path / "data.yaml"


def assert_same(measured, expected, *, within):
    assert measured.keys() == expected.keys()
    assert measured["metrics"] == pytest.approx(expected["metrics"], abs=within)
    for name in expected["per_class"]:
        assert measured["per_class"][name] == pytest.approx(expected["per_class"][name], abs=within)
    for name in ("split", "samples", "classes", "accuracy", "confusion_matrix"):
        assert measured[name] == expected[name], name


def test_run_is_measured_as_after_its_training(deployed, expected):
    trained = json.loads(deployed.metrics.read_text())["test"]
    assert_same(expected, {"file": str(deployed.model), "split": "test"} | trained, within=1e-6)
    assert expected["file"] == str(deployed.model)


def test_run_is_measured_as_by_hand(deployed, expected):
    test = sample().test.columns
    answered = trainkit.load(deployed.model)(test["image"].array)
    labels = test["label"].array
    assert expected["samples"] == len(labels)
    assert expected["accuracy"] == pytest.approx(np.mean(answered.argmax(axis=1) == labels))
    loss = -np.mean(np.log(answered[np.arange(len(labels)), labels]))
    assert expected["metrics"]["loss"] == pytest.approx(loss, abs=1e-5)


@pytest.mark.parametrize("name", FILES.values(), ids=FILES)
def test_file_is_measured_as_its_run(name, deployed, expected):
    measured = trainkit.evaluate(deployed.directory / name)
    assert measured["file"] == str(deployed.directory / name)
    assert_same(measured, expected, within=1e-4)


def test_int8_is_measured_as_deploy_has_proved_it(deployed, expected):
    measured = trainkit.evaluate(deployed.deploy / "small_int8.tflite")
    files = {file["file"]: file for file in json.loads((deployed.deploy / "verify.json").read_text())["files"]}
    proved = files["small_int8.tflite"]
    assert measured["accuracy"] == pytest.approx(proved["accuracy"])
    assert expected["accuracy"] - measured["accuracy"] <= abs(proved["drop_points"]) / 100 + 1e-9
    assert measured["metrics"]["loss"] == pytest.approx(expected["metrics"]["loss"], abs=0.1)


@pytest.mark.parametrize("role", ["validation", "test"])
def test_split_is_that_which_is_asked_for(role, deployed):
    measured = trainkit.evaluate(deployed.deploy / "small.onnx", split=role)
    assert measured["split"] == role
    trained = json.loads(deployed.metrics.read_text())[role]
    assert measured["metrics"] == pytest.approx(trained["metrics"], abs=1e-4)


def test_training_samples_are_measured_too(deployed):
    measured = trainkit.evaluate(deployed.deploy / "small.onnx", split="train")
    validated = json.loads(deployed.metrics.read_text())["validation"]["samples"]
    assert measured["split"] == "train"
    assert measured["samples"] == len(sample().train.columns["label"]) - validated


def test_several_outputs_are_measured(two_run):
    measured = trainkit.evaluate(two_run.directory)
    trained = json.loads(two_run.metrics.read_text())["test"]
    assert set(measured["outputs"]) == {"kind", "size"}
    assert measured["metrics"] == pytest.approx(trained["metrics"])


@pytest.mark.parametrize("name", ["small_float32.tflite", "small.onnx"], ids=["tflite", "onnx"])
@pytest.mark.parametrize("training", ["", LOSS], ids=["data-alone", "with-loss"])
def test_copied_file_is_measured_in_a_child_on_the_data_that_is_named(
    name, training, deployed, expected, data, monkeypatch
):
    data.write_text(DATA + training)
    copied = data.parent / name
    shutil.copy(deployed.deploy / name, copied)
    opened = []
    measure = module.measure
    monkeypatch.setattr(module, "measure", lambda *arguments: opened.append(arguments[0]) or measure(*arguments))
    measured = trainkit.evaluate(copied, data=data)
    assert isinstance(opened[0], IsolatedPredictor)
    assert_same(measured, expected | ({} if training else {"metrics": {}}), within=1e-4)


def test_copied_file_needs_to_know_its_data(deployed, tmp_path):
    shutil.copy(deployed.deploy / "small.onnx", tmp_path / "copy.onnx")
    with pytest.raises(InputError, match=r"copy\.onnx belongs to no run: name the config of its data with --data"):
        trainkit.evaluate(tmp_path / "copy.onnx")


def test_data_that_is_named_wins_over_that_of_the_run(deployed, data):
    random = np.random.default_rng(8)
    images, digits = random.integers(0, 256, (30, 28, 28, 1), np.uint8), np.arange(30) % 10
    np.savez(data.parent / "noise.npz", image=images, digit=digits)
    source = f"Npz: {{path: noise.npz, target: digit, classes: {[*'0123456789']}}}"
    data.write_text(f"version: 1\ndata: {{source: {{{source}}}, test_split: 0.5}}\n")
    measured = trainkit.evaluate(deployed.directory, data=data)
    assert (measured["samples"], measured["metrics"]) == (15, {})


@pytest.mark.parametrize(
    ("share", "role", "size"),
    [
        ("test_split: 0.5", "test", 20),
        ("validation_split: 0.25", "validation", 10),
        ("validation_split: 0", "train", 40),
    ],
    ids=["test", "validation", "train"],
)
def test_samples_are_those_that_were_kept_apart(share, role, size, deployed, data):
    np.savez(data.parent / "some.npz", image=np.zeros((40, 28, 28, 1), np.uint8), digit=np.arange(40) % 10)
    source = f"Npz: {{path: some.npz, target: digit, classes: {[*'0123456789']}}}"
    data.write_text(f"version: 1\ndata: {{source: {{{source}}}, {share}}}\n")
    measured = trainkit.evaluate(deployed.deploy / "small.onnx", data=data)
    assert (measured["split"], measured["samples"]) == (role, size)
    if role == "train":
        with pytest.raises(InputError, match=r"`split` must be one of train\. Received: split='test'"):
            trainkit.evaluate(deployed.deploy / "small.onnx", data=data, split="test")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 1\ndata: {source: Sample, inputs: {picture: image}}\n", "unknown input 'picture'. Known: input"),
        ("version: 1\ndata: {source: Sample, targets: {kind: label}}\n", "unknown output 'kind'. Known: digit"),
        ("version: 1\ndata: {source: {Npz: {path: flat.npz, target: y}}}\n", r"\[784\]\. Received: \[28, 28, 1\]"),
    ],
    ids=["input", "output", "shape"],
)
def test_data_that_does_not_fit_the_model_is_told(text, told, deployed, data):
    np.savez(data.parent / "flat.npz", x=np.zeros((20, 784), np.float32), y=np.arange(20) % 10)
    data.write_text(text)
    with pytest.raises(ConfigError, match=told):
        trainkit.evaluate(deployed.deploy / "small.onnx", data=data)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.85])
def test_file_that_is_cut_is_told(kept, deployed, data):
    content = (deployed.deploy / "small_float32.tflite").read_bytes()
    (data.parent / "cut.tflite").write_bytes(content[: int(kept * len(content))])
    with pytest.raises((InputError, PredictionError), match=r"cut\.tflite"):
        trainkit.evaluate(data.parent / "cut.tflite", data=data)


def test_file_that_has_lost_its_class_names_is_measured_all_the_same(deployed, data):
    """They stand behind the network, in an archive that nobody needs to run it."""
    whole = deployed.deploy / "small_float32.tflite"
    (data.parent / "cut.tflite").write_bytes(whole.read_bytes()[:-20])
    found = trainkit.evaluate(data.parent / "cut.tflite", data=data)
    assert found["accuracy"] == trainkit.evaluate(whole, data=data)["accuracy"]


@pytest.mark.parametrize("seed", range(3))
def test_file_with_flipped_bytes_is_told(seed, deployed, data):
    random = np.random.default_rng(seed)
    content = bytearray((deployed.deploy / "small_int8.tflite").read_bytes())
    for position in random.integers(0, 400, 40):
        content[position] ^= int(random.integers(1, 256))
    (data.parent / "flipped.tflite").write_bytes(content)
    with pytest.raises((InputError, PredictionError), match=r"flipped\.tflite"):
        trainkit.evaluate(data.parent / "flipped.tflite", data=data)


def test_file_that_crashes_its_interpreter_is_told(deployed, data, monkeypatch):
    """A shell script that crashes stands in for the child."""
    (data.parent / "crash").write_text("#!/bin/sh\nkill -SEGV $$\n")
    (data.parent / "crash").chmod(0o755)
    shutil.copy(deployed.deploy / "small_float32.tflite", data.parent / "copy.tflite")
    monkeypatch.setattr(sys, "executable", str(data.parent / "crash"))
    with pytest.raises(InputError, match=r"copy\.tflite cannot be run: killed by SIGSEGV"):
        trainkit.evaluate(data.parent / "copy.tflite", data=data)


def test_data_that_have_changed_since_the_training_are_told(two_config, two_run, tmp_path):
    directory = shutil.copytree(two_run.directory, tmp_path / "two/001")
    table = tmp_path / "two.npz"
    with np.load(two_config.parent / "two.npz") as arrays:
        np.savez(table, **{**arrays, "left": arrays["left"] + 1})
    resolved = (directory / "resolved.yaml").read_text().replace(str(two_config.parent / "two.npz"), str(table))
    (directory / "resolved.yaml").write_text(resolved)
    with pytest.raises(RunError, match=r"trained on other data.* `--data .*resolved\.yaml` measures on them"):
        trainkit.evaluate(directory)
    assert trainkit.evaluate(directory, data=directory / "resolved.yaml")["samples"] > 0

"""Exporting the model of a run, and proving every file."""

from __future__ import annotations

import json
import shutil
from importlib import import_module

import numpy as np
import pytest

import trainkit
from trainkit.config import load_config
from trainkit.data import ArrayColumn, Split, load_data
from trainkit.deploy.calibration import calibration_samples
from trainkit.errors import ConfigError, InputError, OutputError, PromiseError, RunError
from trainkit.runs import Run

module = import_module("trainkit.deploy.production")


@pytest.fixture
def run(small_run, tmp_path):
    """A copy of the small run, free to be spoilt."""
    shutil.copytree(small_run.directory, tmp_path / "001")
    return Run(tmp_path / "001")


def test_deploy_of_a_good_model_keeps_what_it_promises(run):
    deployment = trainkit.deploy(run.directory)
    assert [file.file for file in deployment.files] == ["small_float32.tflite", "small_int8.tflite", "small.onnx"]
    assert all(file.parity.passed for file in deployment.files)
    verified = json.loads((run.deploy / "verify.json").read_text())
    metrics = json.loads(run.metrics.read_text())
    assert verified["samples"] == 2_000
    assert verified["model"]["accuracy"] == pytest.approx(metrics["test"]["accuracy"])
    assert verified["model"]["sha256"] == run.read_manifest()["model_sha256"]


def test_deploy_moves_a_file_that_fails_out_of_the_way(run, monkeypatch):
    """The fault: calibration images scaled to [0, 1], which the model scales again."""

    def scaled(*arguments, **options):
        return ({name: x / 255 for name, x in inputs.items()} for inputs in calibration_samples(*arguments, **options))

    monkeypatch.setattr(module, "calibration_samples", scaled)
    with pytest.raises(
        PromiseError, match=r"1 of 2 files .*deploy/rejected:\n  small_int8\.tflite: changed answers .* found: \d+"
    ) as caught:
        trainkit.deploy(run.directory, ["deploy.export=[TFLite: {precision: int8}, ONNX]"])
    assert caught.value.exit_code == 3
    told = {"MODEL_CARD.md", "report.html", "sensitivity.json", "sensitivity.svg", "verify.json"}
    assert {path.name for path in run.deploy.iterdir()} == {"labels.txt", "rejected", "small.onnx", *told}
    reasons = json.loads((run.deploy / "sensitivity.json").read_text())["layers"][0]["reasons"]
    assert "too narrow" in {reason["kind"] for reason in reasons}
    assert [path.name for path in (run.deploy / "rejected").iterdir()] == ["small_int8.tflite"]
    verdicts = {
        file["file"]: file["parity"]["passed"] for file in json.loads((run.deploy / "verify.json").read_text())["files"]
    }
    assert verdicts == {"small_int8.tflite": False, "small.onnx": True}


def test_deploy_takes_integers_in_and_out(run):
    types = "deploy.export=[TFLite: {precision: int8, input_type: uint8, output_type: int8}]"
    (file,) = trainkit.deploy(run.directory, [types]).files
    assert file.facts["inputs"]["input"] == {
        "shape": [None, 28, 28, 1],
        "dtype": "uint8",
        "scale": 1.0,
        "zero_point": 0,
    }
    assert file.facts["outputs"]["digit"]["dtype"] == "int8"
    assert file.parity.passed


@pytest.mark.parametrize(
    ("overrides", "error", "told"),
    [
        (["training.epochs=3"], InputError, r"overrides of `deploy\.` keys only.*'training\.epochs=3'"),
        (
            ["deploy.export=[ONNX, ONNX]"],
            ConfigError,
            r"deploy\.export\[1\].*writes small\.onnx, as deploy\.export\[0\]",
        ),
        (["deploy.export=[ONNX: {opset: 3}]"], ConfigError, r"opset: must be one of 13, 14, .*Received: opset=3"),
        (["deploy.export=[TFLite: {input_type: int8}]"], ConfigError, r"`input_type` must be float32 where"),
        (["deploy.exprot=[ONNX]"], ConfigError, r"unknown key. Did you mean 'export'"),
    ],
    ids=["training", "twice", "opset", "types", "key"],
)
def test_deploy_refuses_what_is_wrong_and_writes_nothing(run, overrides, error, told):
    with pytest.raises(error, match=told) as caught:
        trainkit.deploy(run.directory, overrides)
    assert caught.value.exit_code == 2
    assert not run.deploy.exists()


def test_deploy_refuses_data_that_has_changed(run):
    run.update_manifest(data={"fingerprint": "0" * 64})
    with pytest.raises(RunError, match="was trained on other data"):
        trainkit.deploy(run.directory)


def test_deploy_refuses_a_damaged_model(run):
    run.model.write_bytes(run.model.read_bytes()[:1000])
    with pytest.raises(RunError, match=r"model\.keras is not the model that this run has trained"):
        trainkit.deploy(run.directory)


def test_deploy_refuses_a_manifest_without_facts(run):
    run.manifest.write_text("{}")
    with pytest.raises(RunError, match="was trained on other data"):
        trainkit.deploy(run.directory)


def test_deploy_waits_for_nobody(run):
    with run.lock(), pytest.raises(RunError, match=r"001 is in use by process \d+"):
        trainkit.deploy(run.directory)


def test_deploy_leaves_the_last_files_where_an_export_fails(run, monkeypatch):
    trainkit.deploy(run.directory, ["deploy.export=[ONNX]"])
    before = (run.deploy / "small.onnx").read_bytes()

    def full(*arguments, **options):
        raise OutputError("the disk is full.")

    monkeypatch.setattr(module, "verify_file", full)
    with pytest.raises(OutputError, match="the disk is full"):
        trainkit.deploy(run.directory)
    assert (run.deploy / "small.onnx").read_bytes() == before
    assert not [path for path in run.directory.iterdir() if path.name.endswith(".deploy")]


def test_calibration_samples_hold_the_ends_of_what_a_byte_can_be():
    dim = np.full((5, 2, 2, 1), 60, np.uint8)
    split = Split({"input": ArrayColumn(dim)}, {"answer": ArrayColumn(np.zeros(5, np.int32))})
    first, *others = [inputs["input"].ravel().tolist() for inputs in calibration_samples(split, 5, seed=1)]
    assert first == [0.0, 60.0, 60.0, 255.0]
    assert others == [[60.0] * 4] * 4


def test_calibration_samples_hold_all_inputs_and_the_ends_of_those_that_are_bytes():
    numbers = np.arange(15, dtype=np.float32).reshape(5, 3)
    inputs = {"row": ArrayColumn(numbers), "image": ArrayColumn(np.arange(20, 40, dtype=np.uint8).reshape(5, 2, 2, 1))}
    split = Split(inputs, {"answer": ArrayColumn(np.zeros(5, np.int32))})
    samples = list(calibration_samples(split, 4, seed=1))
    assert [sample["row"].shape for sample in samples] == [(1, 3)] * 4
    assert [sample["image"].shape for sample in samples] == [(1, 2, 2, 1)] * 4
    rows = [int(sample["row"][0, 0]) // 3 for sample in samples]
    assert len(set(rows)) == 4
    np.testing.assert_array_equal(np.concatenate([sample["row"] for sample in samples]), numbers[rows])
    bytes_of = [[20 + 4 * row + index for index in range(4)] for row in rows]
    bytes_of[0][0], bytes_of[0][-1] = 0, 255
    assert [sample["image"].ravel().tolist() for sample in samples] == bytes_of


def test_calibration_samples_are_training_images_of_all_classes(small_run):
    train = load_data(load_config(small_run.resolved)).train
    samples = [inputs["input"] for inputs in calibration_samples(train, 200, seed=3)]
    assert len(samples) == 200
    assert samples[0].shape == (1, 28, 28, 1)
    assert samples[0].dtype == np.float32
    (inputs, targets, _), *_ = train.ordered(train.size).as_numpy_iterator()
    images = {image.tobytes(): label for image, label in zip(inputs["input"], targets["digit"], strict=True)}
    assert {images[sample[0].tobytes()] for sample in samples[1:]} == set(range(10))

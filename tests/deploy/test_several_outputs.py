"""Deploying a network with two inputs and two outputs, a class and numbers."""

from __future__ import annotations

import io
import json
import shutil
from importlib import import_module

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from rich.console import Console

import trainkit
from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.deploy.calibration import calibration_samples
from trainkit.errors import PromiseError

module = import_module("trainkit.deploy.production")
INT8 = "deploy.export=[TFLite: {precision: int8}]"


@pytest.fixture(scope="module")
def console():
    return Console(file=io.StringIO(), width=160)


@pytest.fixture(scope="module")
def deployed(two_run, console, tmp_path_factory):
    """A copy of the run, with an int8 file and an ONNX file."""
    folder = shutil.copytree(two_run.directory, tmp_path_factory.mktemp("two") / "001")
    exports = "deploy.export=[TFLite: {precision: int8}, ONNX]"
    return trainkit.deploy(folder, [exports], console=console)


def whole(split):
    inputs, targets, _ = next(iter(split.ordered(split.size).as_numpy_iterator()))
    return inputs, targets


def test_deploy_measures_each_output_as_litert_does(deployed, two_run):
    """The file takes numbers that are normalized by what the training samples are."""
    splits = load_data(load_config(two_run.resolved))
    learned, (inputs, targets) = whole(splits.train)[0], whole(splits.test)
    normal = {name: (x - learned[name].mean(axis=0)) / learned[name].std(axis=0) for name, x in inputs.items()}
    runner = Interpreter(str(deployed.directory / "two_int8.tflite")).get_signature_runner()
    samples = [{name: x[row : row + 1] for name, x in normal.items()} for row in range(splits.test.size)]
    answers = [runner(**sample) for sample in samples]
    kind = np.concatenate([answer["kind"] for answer in answers]).argmax(axis=1)
    size = np.concatenate([answer["size"] for answer in answers]).astype(float)
    file = deployed.files[0]
    squares, spread = (size - targets["size"]) ** 2, targets["size"] - targets["size"].mean(axis=0)
    figures = {
        "mae": np.mean(np.abs(size - targets["size"])),
        "rmse": np.sqrt(np.mean(squares)),
        "r2": 1 - squares.sum() / (spread.astype(float) ** 2).sum(),
    }
    assert file.outputs == {
        "kind": {"accuracy": pytest.approx(np.mean(kind == targets["kind"]))},
        "size": {name: pytest.approx(value, rel=1e-3) for name, value in figures.items()},
    }
    assert file.accuracy == file.outputs["kind"]["accuracy"]


def test_deploy_proves_all_outputs(deployed):
    assert [file.file for file in deployed.files] == ["two_int8.tflite", "two.onnx"]
    assert [file.parity.passed for file in deployed.files] == [True, True]
    assert deployed.proof.numbers == ["size"]
    assert deployed.files[0].facts["outputs"].keys() == {"kind", "size"}
    assert deployed.files[0].facts["inputs"].keys() == {"left", "right"}


def test_verify_json_tells_what_an_app_has_to_know(deployed, two_run):
    written = json.loads((deployed.directory / "verify.json").read_text())
    assert written["data"] == {
        "inputs": {
            "left": {"shape": [6], "dtype": "float32", "columns": ["left"]},
            "right": {"shape": [4], "dtype": "float32", "columns": ["right"]},
        },
        "outputs": {"kind": {"classes": ["0", "1", "2"]}, "size": {"classes": None}},
    }
    metrics = json.loads(two_run.metrics.read_text())["test"]
    assert written["samples"] == metrics["samples"]
    assert written["model"]["outputs"] == {
        "kind": {"accuracy": pytest.approx(metrics["outputs"]["kind"]["accuracy"])},
        "size": {name: pytest.approx(metrics["outputs"]["size"][name], rel=1e-5) for name in ("mae", "rmse", "r2")},
    }


def test_deploy_writes_the_labels_of_the_only_class(deployed):
    names = sorted(path.name for path in deployed.directory.iterdir())
    told = ["MODEL_CARD.md", "report.html", "verify.json"]
    assert names == sorted(["labels.txt", "preprocess.json", "two.onnx", "two_int8.tflite", *told])
    assert (deployed.directory / "labels.txt").read_text().splitlines() == ["0", "1", "2"]


def test_deploy_shows_accuracy_and_error(deployed, console):
    table = console.file.getvalue()
    heads = next(line for line in table.splitlines() if line.startswith("file "))
    assert [" ".join(heads.split())] == ["file bytes gzipped accuracy drop agree size rmse verdict"]
    rmse = deployed.files[1].outputs["size"]["rmse"]
    assert f"{rmse:.4g}" in next(line for line in table.splitlines() if line.startswith("two.onnx "))


def test_deploy_rejects_numbers_that_calibration_cut_off(two_run, tmp_path, monkeypatch):
    """The fault: calibration samples of one input that are a tenth of what the input is."""
    folder = shutil.copytree(two_run.directory, tmp_path / "001")

    def scaled(*arguments, **options):
        return ({**inputs, "left": inputs["left"] / 10} for inputs in calibration_samples(*arguments, **options))

    monkeypatch.setattr(module, "calibration_samples", scaled)
    told = r"two_int8\.tflite: size: root mean squared difference expected: at most [\d.]+, 5% of the spread; found: \d"
    with pytest.raises(PromiseError, match=told):
        trainkit.deploy(folder, [INT8])
    (file,) = json.loads((folder / "deploy/verify.json").read_text())["files"]
    assert file["parity"]["rmse"] > 2 * file["parity"]["rmse_limit"]
    rejected = sorted(path.name for path in (folder / "deploy/rejected").iterdir())
    assert rejected == ["preprocess.json", "two_int8.tflite"]

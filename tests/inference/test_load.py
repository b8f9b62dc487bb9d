"""`trainkit.load`"""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest

import trainkit
from trainkit.errors import InputError
from trainkit.inference import IsolatedPredictor

SUFFIXES = (".keras", ".tflite", ".onnx")
FORMATS = (*SUFFIXES, "_saved_model")


@pytest.mark.parametrize("suffix", FORMATS)
def test_batch_is_answered_as_a_batch(suffix, models, one):
    outputs = trainkit.load(models.folder / f"one{suffix}", trusted=True)(one["input"])
    assert outputs.shape == (7, 5)
    np.testing.assert_allclose(outputs, models.one(one["input"]).numpy(), atol=1e-6)


@pytest.mark.parametrize("suffix", FORMATS)
def test_single_sample_is_answered_as_one(suffix, models, one):
    model = trainkit.load(models.folder / f"one{suffix}", trusted=True)
    np.testing.assert_allclose(model(one["input"][3]), model(one["input"])[3], atol=1e-6)
    assert model(one["input"][3].tolist()).shape == (5,)
    assert model({"input": one["input"][3]}).shape == (5,)


def test_several_inputs_and_outputs_are_dictionaries(models, two):
    model = trainkit.load(str(models.folder / "two.tflite"), trusted=True)
    assert {name: output.shape for name, output in model(two).items()} == {"total": (7, 4), "share": (7, 1)}
    single = model({name: array[0] for name, array in two.items()})
    assert {name: output.shape for name, output in single.items()} == {"total": (4,), "share": (1,)}


def test_array_for_several_inputs_is_an_input_error(models):
    with pytest.raises(InputError, match=r"must be a dictionary with the names \['\w+', '\w+'\]. Received: ndarray."):
        trainkit.load(models.folder / "two.onnx", trusted=True)(np.zeros((1, 3)))


def test_wrong_shape_is_an_input_error(models):
    with pytest.raises(InputError, match=r"`input` must have the shape \(samples, 4, 3\)\. Received: shape \(3, 4\)\."):
        trainkit.load(models.folder / "one.tflite", trusted=True)(np.zeros((3, 4)))


@pytest.mark.parametrize("suffix", [pytest.param(".keras", marks=pytest.mark.slow), ".tflite", ".onnx"])
def test_file_from_elsewhere_is_opened_in_a_child(suffix, models, one):
    model = trainkit.load(models.folder / f"one{suffix}")
    assert isinstance(model.predictor, IsolatedPredictor)
    np.testing.assert_allclose(model(one["input"]), models.one(one["input"]).numpy(), atol=1e-6)


def write(filepath, value):
    filepath.parent.mkdir(exist_ok=True)
    filepath.write_text(json.dumps(value))


@pytest.fixture
def run(models, tmp_path):
    """A run directory with nothing but a model and an exported file."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(models.folder / "one.keras", tmp_path / "model.keras")
    shutil.copy(models.folder / "one.onnx", tmp_path / "deploy/one.onnx")
    return tmp_path


def is_opened_here(filepath):
    return not isinstance(trainkit.load(filepath).predictor, IsolatedPredictor)


def sha256(filepath):
    return hashlib.sha256(filepath.read_bytes()).hexdigest()


def test_proved_file_is_opened_here(run):
    filepath = run / "deploy/one.onnx"
    write(
        run / "deploy/verify.json",
        {"files": [{"file": "one.onnx", "sha256": sha256(filepath), "parity": {"passed": True}}]},
    )
    assert is_opened_here(filepath)


def test_file_changed_since_its_proof_is_opened_in_a_child(run):
    filepath = run / "deploy/one.onnx"
    write(
        run / "deploy/verify.json",
        {"files": [{"file": "one.onnx", "sha256": sha256(run / "model.keras"), "parity": {"passed": True}}]},
    )
    assert not is_opened_here(filepath)


def test_file_under_another_name_than_the_proved_is_opened_in_a_child(run):
    filepath = run / "deploy/one.onnx"
    write(
        run / "deploy/verify.json",
        {"files": [{"file": "two.onnx", "sha256": sha256(filepath), "parity": {"passed": True}}]},
    )
    assert not is_opened_here(filepath)


@pytest.mark.parametrize(
    ("name", "key"), [("deploy/verify.json", "model"), ("manifest.json", "model_sha256")], ids=["deployed", "trained"]
)
def test_model_of_a_run_is_opened_here(name, key, run):
    digest = sha256(run / "model.keras")
    write(run / name, {key: digest if key == "model_sha256" else {"file": "model.keras", "sha256": digest}})
    assert is_opened_here(run / "model.keras")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3}'], ids=["empty", "cut", "list", "number"])
def test_damaged_proof_is_none(text, run):
    (run / "deploy/verify.json").write_text(text)
    assert not is_opened_here(run / "deploy/one.onnx")


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.0, 0.5], ids=["empty", "cut short"])
def test_file_that_is_not_whole_is_an_input_error(kept, suffix, trusted, models, tmp_path):
    content = (models.folder / f"one{suffix}").read_bytes()
    filepath = tmp_path / f"part{suffix}"
    filepath.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=rf"`filepath` must be a whole model\. Received: '\S*part\{suffix}'") as caught:
        trainkit.load(filepath, trusted=trusted)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none.tflite", "which does not exist"),
        ("folder.onnx", "which is a directory"),
        ("weights.ckpt", "must end with one of"),
    ],
    ids=["missing", "directory", "suffix"],
)
def test_what_is_no_model_file_is_an_input_error(name, told, tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "weights.ckpt").touch()
    with pytest.raises(InputError, match=told):
        trainkit.load(tmp_path / name)

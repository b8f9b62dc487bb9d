"""What a user names: runs and files, with what is known of their data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from trainkit.data import Description, InputDescription
from trainkit.data.images import ImageSpec
from trainkit.errors import InputError, RunError
from trainkit.inference import IsolatedPredictor
from trainkit.inference.locate import locate

DIGITS = tuple("0123456789")
PICTURE = InputDescription((28, 28, 1), "float32", ("image",), ImageSpec(28, 28, 1))
DATA = """\
version: 1
data:
  source: {Npz: {path: data.npz, target: kind, classes: [low, high, other, more, most]}}
  inputs: pixels
"""


@pytest.fixture
def run(small_run, tmp_path):
    """A copy of a run, which a test may change."""
    shutil.copytree(small_run.directory, tmp_path / "runs/small/001")
    return tmp_path / "runs/small/001"


@pytest.fixture
def data(tmp_path):
    """A config that names data for `one` of `models`."""
    np.savez(tmp_path / "data.npz", pixels=np.zeros((20, 4, 3), np.float32), kind=np.arange(20) % 5)
    (tmp_path / "data.yaml").write_text(DATA)
    return tmp_path / "data.yaml"


@pytest.mark.parametrize("name", [".", "..", "model.keras"], ids=["run", "runs", "file"])
def test_locate_finds_the_model_of_a_run_and_its_data(name, run):
    found = locate(run / name)
    assert (found.filepath.resolve(), found.run.directory.resolve()) == (run / "model.keras", run)
    assert not isinstance(found.predictor, IsolatedPredictor)
    assert found.config().experiment.name == "small"
    assert found.description() == Description({"input": PICTURE}, {"digit": DIGITS})


def test_locate_describes_a_run_that_has_written_nothing_down_by_its_data(run):
    (run / "data.json").unlink()
    assert locate(run).description() == Description({"input": PICTURE}, {"digit": DIGITS})


def test_locate_believes_what_stands_beside_an_exported_file(run, models):
    (run / "deploy").mkdir()
    shutil.copy(models.folder / "one.onnx", run / "deploy/one.onnx")
    described = Description({"input": InputDescription((4, 3), "float32")}, {"digit": ("a", "b", "c", "d", "e")})
    (run / "deploy/verify.json").write_text(json.dumps({"data": described.to_json()}))
    found = locate(run / "deploy/one.onnx")
    assert found.run.directory == run
    assert isinstance(found.predictor, IsolatedPredictor)
    assert found.description() == described


@pytest.mark.parametrize("text", ["{", "[]", '{"inputs": 3}'], ids=["cut", "list", "other"])
def test_locate_tells_of_a_description_that_is_damaged(text, run):
    (run / "data.json").write_text(text)
    with pytest.raises(RunError, match=r"data\.json cannot be read: it is damaged, or of another version"):
        locate(run).description()


def test_locate_asks_for_the_data_of_a_file_on_its_own(models):
    found = locate(models.folder / "one.onnx")
    assert found.run is None
    told = r"one\.onnx belongs to no run: name the config of its data with --data CONFIG\."
    with pytest.raises(InputError, match=told):
        found.config()
    with pytest.raises(InputError, match=told):
        found.description()


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_locate_takes_the_data_that_is_named(suffix, models, data):
    found = locate(models.folder / f"one{suffix}", data=data)
    assert isinstance(found.predictor, IsolatedPredictor)
    inputs = {"input": InputDescription((4, 3), "float32", ("pixels",))}
    assert found.description() == Description(inputs, {"digit": ("low", "high", "other", "more", "most")})
    assert found.config().experiment.name == "one"


def test_data_of_other_classes_than_the_run_has_learned_are_refused(run, data):
    np.savez(data.parent / "data.npz", pixels=np.zeros((20, 28, 28, 1), np.float32), kind=np.arange(20) % 5)
    told = r"data\.yaml must have the classes that model\.keras has learned: \('0', .* Received: \('low', 'high', "
    with pytest.raises(InputError, match=told):
        locate(run, data=data).description()


def test_data_name_the_classes_of_a_model_that_belongs_to_no_run(run, data, tmp_path):
    np.savez(data.parent / "data.npz", pixels=np.zeros((20, 28, 28, 1), np.float32), kind=np.arange(20) % 5)
    shutil.copy(Path(run) / "model.keras", tmp_path / "mine.keras")
    found = locate(tmp_path / "mine.keras", data=data).description()
    assert found.classes == {"digit": ("low", "high", "other", "more", "most")}


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("nowhere", InputError, "nowhere does not exist"),
        (".", RunError, r"is not a run directory: it has no manifest\.json"),
        ("data.yaml", InputError, r"must end with one of \.keras, \.h5, \.tkz, \.tflite, \.onnx"),
        ("empty.onnx", InputError, "which is empty"),
    ],
    ids=["missing", "folder", "suffix", "empty"],
)
def test_locate_refuses_what_is_no_model(name, error, told, data):
    (data.parent / "empty.onnx").touch()
    with pytest.raises(error, match=told):
        locate(Path(data.parent / name))

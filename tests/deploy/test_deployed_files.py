"""What a run has deployed, used as a user does: measured, asked, loaded, and moved elsewhere."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import trainkit
from trainkit.errors import InputError
from trainkit.inference import IsolatedPredictor
from trainkit.inference.locate import locate

EXPORTS = "deploy.export=[TFLite, SavedModel]"


@pytest.fixture(scope="module")
def deployed(small_run, tmp_path_factory):
    """A copy of the run, with a .tflite and a SavedModel."""
    folder = shutil.copytree(small_run.directory, tmp_path_factory.mktemp("small") / "001")
    return trainkit.deploy(folder, [EXPORTS], console=Console(file=io.StringIO())).directory


@pytest.fixture
def digit(tmp_path):
    """An image file."""
    pixels = np.zeros((40, 30), np.uint8)
    pixels[5:35, 12:18] = 255
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    return tmp_path / "digit.png"


def test_saved_model_is_proved(deployed):
    record = json.loads((deployed / "verify.json").read_text())
    (entry,) = [entry for entry in record["files"] if entry["file"] == "small_saved_model"]
    assert entry["parity"]["passed"]
    assert not isinstance(trainkit.load(deployed / "small_saved_model").predictor, IsolatedPredictor)


def test_deploy_again_replaces_the_saved_model(deployed, tmp_path):
    folder = shutil.copytree(deployed.parent, tmp_path / "001")
    (folder / "deploy/small_saved_model/old").touch()
    trainkit.deploy(folder, [EXPORTS], console=Console(file=io.StringIO()))
    assert not (folder / "deploy/small_saved_model/old").exists()


def test_saved_model_is_measured_like_its_run(deployed):
    measured = trainkit.evaluate(deployed / "small_saved_model")
    expected = trainkit.evaluate(deployed.parent)
    assert measured.pop("file") == str(deployed / "small_saved_model")
    assert measured["samples"] == expected["samples"]
    assert measured["accuracy"] == expected["accuracy"]


@pytest.mark.parametrize("name", [pytest.param("small_saved_model", marks=pytest.mark.slow), "small_float32.tflite"])
def test_moved_file_knows_how_images_are_made(name, deployed, digit, tmp_path):
    moved = tmp_path / name
    (shutil.copytree if (deployed / name).is_dir() else shutil.copy)(deployed / name, moved)
    assert locate(moved).run is None
    (here,), (there,) = (list(trainkit.predict(path, [digit])) for path in (deployed.parent, moved))
    assert here.classes["digit"][0][0] == there.classes["digit"][0][0]
    assert there.classes["digit"][0][1] == pytest.approx(here.classes["digit"][0][1], abs=1e-4)


def test_moved_tflite_without_its_preprocess_is_refused(two_run, tmp_path):
    folder = shutil.copytree(two_run.directory, tmp_path / "001")
    trainkit.deploy(folder, ["deploy.export=[TFLite]"], console=Console(file=io.StringIO()))
    moved = shutil.copy(folder / "deploy/two_float32.tflite", tmp_path)
    np.savez(tmp_path / "rows.npz", left=np.zeros((2, 6)), right=np.zeros((2, 4)))
    told = r"^two_float32\.tflite must have preprocess\.json beside it\. Received: none\. Copy that, too\.$"
    with pytest.raises(InputError, match=told):
        list(trainkit.predict(moved, [tmp_path / "rows.npz"]))
    shutil.copy(folder / "deploy/preprocess.json", tmp_path)
    assert len(list(trainkit.predict(moved, [tmp_path / "rows.npz"]))) == 2

"""Which samples ranges are taken from, and those that are refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import trainkit
from trainkit.data import ArrayColumn, Split
from trainkit.data.fields import Field
from trainkit.deploy.calibration import Calibration, calibration_samples
from trainkit.errors import DataError

DATA = """\
version: 1
data:
  source: {Npz: {path: train.npz, test: test.npz}}
deploy:
  export:
    - TFLite: {precision: int8}
"""


def random_split(samples=40):
    generator = np.random.default_rng(3)
    images = generator.integers(0, 200, (samples, 2, 2, 1), np.uint8)
    kinds = Field((), "int32", classes=("cat", "dog"))
    labels = ArrayColumn(np.arange(samples, dtype=np.int32) % 2, field=kinds)
    return Split({"input": ArrayColumn(images, origin="a.gz")}, {"kind": labels})


def test_calibration_is_the_samples_that_are_given():
    split = random_split()
    chosen = Calibration.choose(split, {"a.tflite": 7, "b.onnx": 12}, seed=5, preprocessing="p")
    given = [inputs["input"][0] for inputs in calibration_samples(split, 12, seed=5)]
    taken = chosen.split.first_inputs(12)["input"]
    np.testing.assert_array_equal(taken[1:], given[1:])  # the first has the ends of bytes
    rows = [int(original.split()[-1]) for original in chosen.to_json()["originals"]]
    np.testing.assert_array_equal(split.first_inputs(40)["input"][rows], taken)
    assert chosen.ranges == {"input": (taken.min(), taken.max())}


def test_calibration_is_told_in_json():
    split = random_split()
    told = Calibration.choose(split, {"a.tflite": 7, "b.onnx": 12}, seed=5, preprocessing="p").to_json()
    assert json.loads(json.dumps(told)) == told | {"ranges": {"input": list(told["ranges"]["input"])}}
    assert (told["samples"], told["files"], told["preprocessing_sha256"]) == (12, {"a.tflite": 7, "b.onnx": 12}, "p")
    assert sum(told["classes"]["kind"].values()) == 12
    assert len(set(told["originals"])) == 12
    assert told["sha256"] != Calibration.choose(split, {"a.tflite": 12}, seed=6, preprocessing="p").to_json()["sha256"]


def test_deploy_writes_down_where_ranges_come_from(small_run, tmp_path):
    folder = shutil.copytree(small_run.directory, tmp_path / "001")
    trainkit.deploy(folder, ["deploy.export=[TFLite: {precision: int8, calibration_samples: 60}, ONNX]"])
    told = json.loads((folder / "deploy/verify.json").read_text())["calibration"]
    assert (told["role"], told["samples"], told["files"]) == ("train", 60, {"small_int8.tflite": 60})
    assert sum(told["classes"]["digit"].values()) == 60
    assert told["ranges"]["input"] == [0, 255]
    assert told["originals"][0].startswith("train-images-idx3-ubyte.gz, image ")
    trainkit.deploy(folder, ["deploy.export=[ONNX]"])
    assert json.loads((folder / "deploy/verify.json").read_text())["calibration"] is None


@pytest.fixture(scope="module")
def elsewhere(bench, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    model.save(folder / "digits.keras")
    (folder / "data.yaml").write_text(DATA)
    np.savez(folder / "test.npz", x=bench.test["input"].astype(np.float32)[:300], y=bench.test_labels[:300])
    return folder


def noise(images, labels):
    return np.random.default_rng(0).uniform(0, 255, images.shape).astype(np.float32), labels


def scaled(images, labels):
    return images / np.float32(255), labels


def one_class(images, labels):
    return images[labels == 9], labels[labels == 9]


def shuffled_labels(images, labels):
    return images, np.random.default_rng(0).permutation(labels)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            noise,
            r"must be like .*Received: samples of which it answers \d+\.\d% rightly as to 'digit', and \d\d\.\d% of",
        ),
        (scaled, r"must be scaled like the others\. Received: values of 'input' from 0 to 1, .* from 0 to 255\.$"),
        (one_class, r"must be of several classes of 'digit'\. Received: \d+ of '9', none of the other 9\. Give"),
        (shuffled_labels, r"must be like .*Received: samples of which it answers \d+\.\d% rightly as to 'digit'"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_training_data_that_cannot_be_right_is_refused(spoil, told, elsewhere, bench, tmp_path):
    folder = shutil.copytree(elsewhere, tmp_path / "a")
    images, labels = spoil(bench.images[:1000].astype(np.float32), bench.labels[:1000])
    np.savez(folder / "train.npz", x=images, y=labels)
    with pytest.raises(DataError, match=rf"^calibration samples {told}") as caught:
        trainkit.deploy(folder / "digits.keras", data=folder / "data.yaml")
    assert caught.value.exit_code == 2
    assert not (folder / "digits_deploy").exists()
    assert not (folder / "digits_compress").exists()


def test_data_wrong_throughout_is_refused_for_a_model_made_elsewhere(elsewhere, bench, tmp_path):
    """Training and test data alike, so that comparing them tells nothing."""
    folder = shutil.copytree(elsewhere, tmp_path / "a")
    for name, part in (("train", slice(0, 1000)), ("test", slice(1000, 1300))):
        images, labels = noise(bench.images[part], bench.labels[part])
        np.savez(folder / f"{name}.npz", x=images, y=labels)
    with pytest.raises(DataError, match=r"rightly as to 'digit': no better than always the same answer \(1\d\.\d%\)\."):
        trainkit.deploy(folder / "digits.keras", data=folder / "data.yaml")


def test_right_data_pass(elsewhere, bench, tmp_path):
    folder = shutil.copytree(elsewhere, tmp_path / "a")
    np.savez(folder / "train.npz", x=bench.images[:1000].astype(np.float32), y=bench.labels[:1000])
    deployment = trainkit.deploy(folder / "digits.keras", data=folder / "data.yaml")
    assert deployment.files[0].parity.passed


def test_each_file_needs_several_classes(small_run, tmp_path):
    """One of 200 samples would do; that of one sample does not."""
    folder = shutil.copytree(small_run.directory, tmp_path / "001")
    one = "TFLite: {precision: int8, calibration_samples: 1}"
    with pytest.raises(DataError, match=r"of several classes of 'digit'\. Received: 1 of '\d', none of the other 9\."):
        trainkit.deploy(folder, [f"deploy.export=[{one}, ONNX: {{precision: int8, calibration_samples: 200}}]"])


def test_calibration_tells_of_no_file_that_was_not_made():
    split = random_split()
    calibration = Calibration.choose(split, {"a.tflite": 12, "b.tflite": 6}, seed=5, preprocessing="p")
    assert calibration.without(["a.tflite"]).to_json()["files"] == {"b.tflite": 6}
    assert calibration.without(["a.tflite", "b.tflite"]) is None

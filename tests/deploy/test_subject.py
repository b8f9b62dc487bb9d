"""What is deployed: a model that was made elsewhere, with the data that a config names."""

from __future__ import annotations

import json

import numpy as np
import pytest

import trainkit
from trainkit.errors import ConfigError, InputError, OutputError, RunError
from trainkit.framework import tf
from trainkit.runs import lock_directory

DATA = """\
version: 1
name: elsewhere
data:
  source: {Npz: {path: data.npz, target: high, classes: [low, high]}}
  inputs: features
  test_split: 0.5
deploy: {benchmark: false}
"""
ONNX = "deploy.export=[ONNX]"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A folder with samples, a config that only names them, and models that Keras alone has saved."""
    folder = tmp_path_factory.mktemp("elsewhere")
    x = np.random.default_rng(2).normal(size=(200, 5)).astype("float32")
    colours = np.array(["red", "blue", "green"])[np.digitize(x[:, 1], [-0.5, 0.5])]
    np.savez(folder / "data.npz", features=x, high=(x[:, 0] > 0).astype(int), colour=colours)
    (folder / "data.yaml").write_text(DATA)
    tf.keras.utils.set_random_seed(1)
    inputs = tf.keras.Input((5,), name="features")
    layer = tf.keras.layers.Dense(2, activation="softmax", name="high")
    high = layer(inputs)
    layer.set_weights([np.outer([4, 1, 0, 0, 0], [-1, 1]), np.zeros(2)])
    tf.keras.Model(inputs, high).save(folder / "model.keras")
    colour = tf.keras.layers.Dense(3, activation="softmax", name="colour")(inputs)
    tf.keras.Model(inputs, [high, colour]).save(folder / "both.keras")
    return folder


def test_deploy_proves_a_model_that_was_made_elsewhere(elsewhere):
    """By its weights, the model says `high` where four times the first feature and the second are above 0."""
    deployment = trainkit.deploy(elsewhere / "model.keras", [ONNX], data=elsewhere / "data.yaml")
    assert deployment.directory == elsewhere / "model_deploy"
    names = sorted(path.name for path in deployment.directory.iterdir())
    assert names == ["MODEL_CARD.md", "elsewhere.onnx", "labels.txt", "report.html", "verify.json"]
    (file,) = deployment.files
    assert (file.parity.passed, file.parity.samples) == (True, 100)
    x = deployment.proof.inputs["features"]
    assert file.accuracy == pytest.approx(np.mean((4 * x[:, 0] + x[:, 1] > 0) == (x[:, 0] > 0)))
    written = json.loads((deployment.directory / "verify.json").read_text())
    assert written["model"]["file"] == "model.keras"
    inputs = {"features": {"shape": [5], "dtype": "float32", "columns": ["features"]}}
    assert written["data"] == {"inputs": inputs, "outputs": {"high": {"classes": ["low", "high"]}}}


@pytest.mark.parametrize(
    "training",
    [["training={loss: {high: SparseCategoricalCrossentropy, colour: SparseCategoricalCrossentropy}}"], []],
    ids=["loss", "no-loss"],
)
def test_deploy_writes_the_labels_of_each_class(training, elsewhere):
    overrides = ["data.targets={high: high, colour: colour}", ONNX, *training]
    deployment = trainkit.deploy(elsewhere / "both.keras", overrides, data=elsewhere / "data.yaml")
    labels = {path.name: path.read_text().split() for path in deployment.directory.glob("*.txt")}
    assert labels == {"labels_high.txt": ["low", "high"], "labels_colour.txt": ["blue", "green", "red"]}


def test_deploy_of_a_file_needs_to_know_its_data(elsewhere):
    with pytest.raises(InputError, match=r"needs the config of its data: --data CONFIG\. Received: .*model\.keras"):
        trainkit.deploy(elsewhere / "model.keras")


def test_deploy_of_a_run_has_its_data(small_run, elsewhere):
    with pytest.raises(InputError, match=r"--data goes with a model file \(\.keras, \.h5, \.tkz\): a run has its data"):
        trainkit.deploy(small_run.directory, data=elsewhere / "data.yaml")


@pytest.mark.parametrize(
    ("name", "told"),
    [("absent.keras", "which does not exist"), ("broken.keras", r"broken\.keras cannot be opened by Keras")],
    ids=["absent", "broken"],
)
def test_deploy_refuses_a_file_that_is_no_model(name, told, elsewhere):
    (elsewhere / "broken.keras").write_bytes(b"no model")
    with pytest.raises(InputError, match=told):
        trainkit.deploy(elsewhere / name, data=elsewhere / "data.yaml")


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("data.inputs={pixels: features}", r"data\.inputs\.pixels: unknown input 'pixels'\. Known: features"),
        ("data.inputs=high", r"must be the shape of the data, \[1\]\. Received: \[5\]"),
        ("training.epochs=many", r"training\.epochs: must be a whole number"),
    ],
    ids=["name", "shape", "setting"],
)
def test_deploy_refuses_data_that_a_model_does_not_take(override, told, elsewhere):
    with pytest.raises(ConfigError, match=told):
        trainkit.deploy(elsewhere / "model.keras", [override, ONNX], data=elsewhere / "data.yaml")


def test_deploy_gives_names_that_a_config_can_say(elsewhere):
    inputs = tf.keras.Input((5,), name="x")
    tf.keras.Model(inputs, tf.keras.layers.Dense(1, name="High")(inputs)).save(elsewhere / "named.keras")
    (file,) = trainkit.deploy(elsewhere / "named.keras", [ONNX], data=elsewhere / "data.yaml").files
    assert (list(file.facts["inputs"]), list(file.facts["outputs"])) == (["input_x"], ["high"])
    assert file.parity.passed


def test_deploy_refuses_a_model_whose_outputs_have_no_names_of_their_own(elsewhere):
    inputs = tf.keras.Input((5, 1), name="features")
    outputs = tf.keras.layers.GRU(2, return_state=True, name="High")(inputs)
    tf.keras.Model(inputs, outputs).save(elsewhere / "named.keras")
    told = r"named\.keras must have inputs and outputs with names of letters.* Received: features, High, High_1\. Name"
    with pytest.raises(InputError, match=told):
        trainkit.deploy(elsewhere / "named.keras", [ONNX], data=elsewhere / "data.yaml")


def test_directory_with_files_of_the_user_is_left_alone(tmp_path):
    directory = tmp_path / "mine_deploy"
    directory.mkdir()
    (directory / "keep.txt").write_text("mine")
    (tmp_path / "mine.keras").touch()
    with pytest.raises(OutputError, match=r"mine_deploy must be free .* Received: 'keep\.txt' in it"):
        trainkit.deploy(tmp_path / "mine.keras", data=tmp_path / "data.yaml")
    assert (directory / "keep.txt").read_text() == "mine"


def test_a_model_is_deployed_by_one_process_at_a_time(elsewhere):
    work = elsewhere / "model_compress"
    work.mkdir()
    with lock_directory(work), pytest.raises(RunError, match=r"model_compress is in use by process \d+"):
        trainkit.deploy(elsewhere / "model.keras", [ONNX], data=elsewhere / "data.yaml")
    trainkit.deploy(elsewhere / "model.keras", [ONNX], data=elsewhere / "data.yaml")
    assert not work.exists()


def test_what_a_killed_deploy_left_is_cleared_away(elsewhere):
    (elsewhere / ".old.model_deploy").mkdir(exist_ok=True)
    (elsewhere / ".123.model_deploy").mkdir()
    (elsewhere / ".123.mine").mkdir()
    trainkit.deploy(elsewhere / "model.keras", [ONNX], data=elsewhere / "data.yaml")
    assert [path.name for path in elsewhere.glob(".*")] == [".123.mine"]

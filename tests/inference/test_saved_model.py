"""SavedModels: what is one, what is refused, and how they travel."""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest

import trainkit
from trainkit.data import Description, InputDescription
from trainkit.errors import InputError, PredictionError, RunError
from trainkit.framework import tf
from trainkit.inference import IsolatedPredictor, open_predictor
from trainkit.inference.load import is_proved
from trainkit.inference.locate import locate

NAME = "one_saved_model"
DESCRIBED = Description({"input": InputDescription((4, 3), "float32")}, {"digit": ("a", "b", "ç", "d", "e")})


@pytest.fixture
def copied(models, tmp_path):
    """A copy in the place where a run has it."""
    return shutil.copytree(models.folder / NAME, tmp_path / "deploy" / NAME)


def sha256_of_all(directory):
    """That of the lines of sha256sum."""
    files = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    lines = [f"{hashlib.sha256((directory / name).read_bytes()).hexdigest()}  {name}\n" for name in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def prove(directory, **facts):
    record = {"file": directory.name, "sha256": sha256_of_all(directory), "parity": {"passed": True}}
    (directory.parent / "verify.json").write_text(json.dumps({"files": [record]} | facts))


def is_opened_here(directory):
    return not isinstance(trainkit.load(directory).predictor, IsolatedPredictor)


def test_one_from_elsewhere_is_opened_in_a_child(copied, models, one):
    model = trainkit.load(copied)
    assert isinstance(model.predictor, IsolatedPredictor)
    np.testing.assert_allclose(model(one["input"]), models.one(one["input"]).numpy(), atol=1e-6)


def test_one_that_was_proved_is_opened_here(copied):
    prove(copied)
    assert is_opened_here(copied)


@pytest.mark.parametrize("change", ["weights", "name", "more"])
def test_one_that_was_changed_since_is_not_proved(change, copied):
    prove(copied)
    assert is_proved(copied)
    if change == "weights":
        (data,) = (copied / "variables").glob("*.data-*")
        content = bytearray(data.read_bytes())
        content[8] ^= 1
        data.write_bytes(content)
    elif change == "name":
        (copied / "fingerprint.pb").rename(copied / "other.pb")
    else:
        (copied / "assets/vocabulary.txt").touch()
    assert not is_proved(copied)


def test_directory_without_a_graph_is_no_model(tmp_path):
    told = r"`filepath` must be a model file \(.*\), or a directory with saved_model\.pb\. Received: .*is a directory"
    with pytest.raises(InputError, match=told):
        trainkit.load(tmp_path)
    with pytest.raises(RunError, match="is not a run directory"):
        locate(tmp_path)


@pytest.mark.parametrize(
    ("kept", "trusted"),
    [(0.0, True), (0.5, True), pytest.param(0.0, False, marks=pytest.mark.slow), (0.5, False)],
    ids=["empty", "cut short", "empty, from elsewhere", "cut short, from elsewhere"],
)
def test_one_that_is_not_whole_is_an_input_error(kept, trusted, copied):
    graph = copied / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[: int(kept * graph.stat().st_size)])
    with pytest.raises(InputError, match=rf"`filepath` must be a whole model\. Received: '\S*{NAME}'") as caught:
        trainkit.load(copied, trusted=trusted)
    assert caught.value.exit_code == 2


def test_one_without_weights_is_an_input_error(copied):
    shutil.rmtree(copied / "variables")
    with pytest.raises(InputError, match=r"cannot be opened by TensorFlow: [^{].* Copy or export it again\."):
        trainkit.load(copied, trusted=True)


def test_one_with_another_signature_is_refused_by_name(tmp_path):
    held = tf.Module()
    held.double = tf.function(
        lambda values: {"out": 2 * values}, input_signature=[tf.TensorSpec((None, 3), tf.float32)]
    )
    tf.saved_model.save(held, str(tmp_path / "other"), signatures={"double": held.double})
    told = r"^other cannot be opened by TensorFlow: it must have the signature 'serving_default'\. Received: double\.$"
    with pytest.raises(PredictionError, match=told):
        open_predictor(tmp_path / "other")


def test_python_of_keras_is_not_run(tmp_path):
    """Keras' own SavedModel names layers with Python code, which only `keras.models.load_model` would run."""
    inputs = tf.keras.Input((3,), name="input")
    outputs = tf.keras.layers.Lambda(lambda x: 2 * x, name="out")(inputs)
    tf.keras.Model(inputs, outputs).save(tmp_path / "keras", save_format="tf")
    predictor = open_predictor(tmp_path / "keras")
    np.testing.assert_array_equal(predictor.predict({"input": np.ones((1, 3))})["out"], 2 * np.ones((1, 3)))


def test_what_it_holds_describes_its_data(copied):
    (copied / "assets.extra").mkdir()
    (copied / "assets.extra/trainkit.json").write_text(json.dumps({"data": DESCRIBED.to_json()}))
    found = locate(copied)
    assert (found.run, found.filepath) == (None, copied)
    assert found.description() == DESCRIBED


def test_damaged_facts_are_none(copied):
    (copied / "assets.extra").mkdir()
    (copied / "assets.extra/trainkit.json").write_text("{")
    assert open_predictor(copied).facts["metadata"] == {}


def test_predict_answers_files(copied, one, models, tmp_path):
    prove(copied, data=DESCRIBED.to_json())
    np.save(tmp_path / "rows.npy", one["input"])
    found = list(trainkit.predict(copied, [tmp_path / "rows.npy"]))
    expected = models.one(one["input"]).numpy()
    names = [DESCRIBED.classes["digit"][index] for index in expected.argmax(axis=1)]
    assert [prediction.classes["digit"][0][0] for prediction in found] == names

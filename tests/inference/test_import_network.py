"""A Keras model file -> a config that builds the same network."""

from __future__ import annotations

import re

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError, InputError, PromiseError
from trainkit.framework import tf
from trainkit.inference import import_network as module
from trainkit.inference.import_network import import_network
from trainkit.models import build_model
from trainkit.models.describe import Description

layers = tf.keras.layers


@pytest.fixture
def digits(tmp_path):
    """A file with a network of two layers."""
    inputs = tf.keras.Input((28, 28, 1))
    x = layers.Dense(10, activation="softmax", name="digit")(layers.Flatten(name="flat")(inputs))
    filepath = tmp_path / "my digits.keras"
    tf.keras.Model(inputs, x).save(filepath)
    return filepath


EXPECTED = """\
# The network of my digits.keras, 7,850 parameters, without its weights.
# To train it, fill in `data` and `training`, which are examples, and take their # away.
# It tells 10 classes apart; `units: $classes` makes it as many as the data have.
version: 1
name: my_digits
# data:
#   source: {ImageFolder: {path: photos}}
#   batch_size: 32
model:
  input: [28, 28, 1]
  layers:
    - Flatten:
      name: flat
    - Dense: {units: 10, activation: softmax}
      name: digit
# training:
#   epochs: 10
#   optimizer: {Adam: {learning_rate: 0.001}}
#   loss: SparseCategoricalCrossentropy
#   metrics: [SparseCategoricalAccuracy]
"""


def test_import_network_writes_a_config_that_a_person_can_fill_in(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = import_network(digits)
    assert (made.layers, made.parameters, made.is_complete) == (2, 28 * 28 * 10 + 10, False)
    assert made.filepath.read_text() == EXPECTED


def test_import_network_gives_examples_that_check(digits, tmp_path):
    output = tmp_path / "filled.yaml"
    import_network(digits, output=output)
    output.write_text(re.sub("^# (?=data:|training:|  )", "", output.read_text(), flags=re.MULTILINE))
    experiment = load_config(output).experiment
    assert experiment.data.source.class_name == "ImageFolder"
    assert build_model(experiment.model, {}, name="net").count_params() == 7850


def test_import_network_gives_examples_for_several_inputs_and_outputs(tmp_path):
    left, right = tf.keras.Input((3,), name="left"), tf.keras.Input((2,), name="right")
    x = layers.Concatenate()([left, right])
    outputs = [layers.Dense(1, activation="sigmoid", name="same")(x), layers.Dense(2, name="far")(x)]
    tf.keras.Model([left, right], outputs).save(tmp_path / "two.keras")
    output = import_network(tmp_path / "two.keras", output=tmp_path / "two.yaml").filepath
    output.write_text(re.sub("^# (?=data:|training:|  )", "", output.read_text(), flags=re.MULTILINE))
    experiment = load_config(output).experiment
    assert experiment.data.inputs == {"left": "left", "right": "right"}
    losses = {name: node.class_name for name, node in experiment.training.loss.items()}
    assert losses == {"same": "BinaryCrossentropy", "far": "MeanSquaredError"}


def test_import_network_takes_data_and_training_over(digits, tmp_path):
    (tmp_path / "other").mkdir()
    config = tmp_path / "other/data.yaml"
    config.write_text(
        "version: 1\nname: old\ndata: {source: {Idx: {images: in/a.gz, labels: /b.gz}}}\n"
        "training: {loss: SparseCategoricalCrossentropy, callbacks: [{CSVLogger: {filename: log.csv}}]}\n"
    )
    made = import_network(digits, output=tmp_path / "new.yaml", data=config)
    loaded = load_config(made.filepath).experiment
    assert made.is_complete
    assert loaded.data.source.arguments["images"] == str(tmp_path / "other/in/a.gz")
    assert loaded.data.source.arguments["labels"] == "/b.gz"
    assert loaded.training.callbacks[0].arguments["filename"] == str(tmp_path / "other/log.csv")
    assert "{images: other/in/a.gz" in made.filepath.read_text()


def test_import_network_refuses_data_that_do_not_fit(digits, tmp_path):
    config = tmp_path / "data.yaml"
    config.write_text("version: 1\ndata: {source: Sample}\ntraining: {loss: {cat: MeanSquaredError}}\n")
    with pytest.raises(ConfigError, match="unknown output 'cat'"):
        import_network(digits, output=tmp_path / "new.yaml", data=config)
    assert not (tmp_path / "new.yaml").exists()
    config.write_text("version: 1\n")
    with pytest.raises(ConfigError, match="`data:` is missing"):
        import_network(digits, output=tmp_path / "new.yaml", data=config)


def test_import_network_reads_a_run(small_run, tmp_path):
    output = import_network(small_run.directory, output=tmp_path / "again.yaml").filepath
    assert "name: small\n" in output.read_text()
    assert "- Rescaling: {scale: $(1/255)}\n    - Conv2D: {filters: 6" in output.read_text()


def test_import_network_leaves_files_alone(digits, tmp_path):
    (tmp_path / "mine.yaml").write_text("mine")
    with pytest.raises(InputError, match="exists and is left alone"):
        import_network(digits, output=tmp_path / "mine.yaml")
    assert (tmp_path / "mine.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "told"),
    [("missing.keras", "does not exist"), ("model.tflite", "is no such file"), ("broken.keras", "cannot be opened")],
)
def test_import_network_refuses_what_is_no_model(tmp_path, name, told):
    for other in ("model.tflite", "broken.keras"):
        (tmp_path / other).write_text("nothing")
    with pytest.raises(InputError, match=told):
        import_network(tmp_path / name, output=tmp_path / "new.yaml")


def test_import_network_finds_that_it_would_build_another_network(digits, tmp_path, monkeypatch):
    section = {"input": [28, 28, 1], "layers": ["Flatten", {"Dense": {"units": 9}}]}
    monkeypatch.setattr("trainkit.models.describe.describe", lambda model: Description(section, []))
    assert module.import_network is import_network
    with pytest.raises(
        PromiseError, match=r"7,065 parameters and outputs \[\(9,\)\] in place of 7,850 and \[\(10,\)\]"
    ):
        import_network(digits, output=tmp_path / "new.yaml")
    assert not (tmp_path / "new.yaml").exists()

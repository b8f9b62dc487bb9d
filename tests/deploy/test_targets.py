"""Where the files of a config are to run, and what deploy refuses before it trains."""

from __future__ import annotations

import io
import re
import shutil

import pytest
from rich.console import Console

import trainkit
from trainkit.config import NodeError, load_config
from trainkit.deploy.islands import check_excluded
from trainkit.deploy.targets import check_integers, is_asked, targets_of
from trainkit.errors import ConfigError
from trainkit.framework import tf
from trainkit.models.targets import Target

CONFIG = """\
version: 1
name: bent
seed: 3
data: {source: Sample, batch_size: 100}
model:
  input: [28, 28, 1]
  preprocess:
    - Rescaling: {scale: $(1/255)}
  layers:
    - MaxPooling2D: {pool_size: 4}
    - Flatten
    - Dense: {units: 16, activation: elu}
      name: bent
    - Dense: {units: $classes, activation: softmax}
      name: digit
training:
  epochs: 1
  loss: SparseCategoricalCrossentropy
"""


@pytest.fixture(scope="module")
def bent_run(tmp_path_factory):
    """A finished run of a network with elu."""
    folder = tmp_path_factory.mktemp("bent")
    (folder / "bent.yaml").write_text(CONFIG)
    return trainkit.fit(folder / "bent.yaml", runs=folder / "runs").directory


def deploy(folder, *overrides):
    console = Console(file=io.StringIO(), width=200)
    try:
        return trainkit.deploy(folder, overrides, console=console), console.file.getvalue()
    except ConfigError as error:
        return error, console.file.getvalue()


def test_deploy_refuses_int8_of_real_numbers_before_it_trains(bent_run, tmp_path):
    folder = shutil.copytree(bent_run, tmp_path / "001")
    steps, int8 = "deploy.compress=[Quantize]", "deploy.export=[TFLite, {TFLite: {precision: int8}}]"
    error, told = deploy(folder, steps, int8)
    assert isinstance(error, ConfigError)
    assert error.exit_code == 2
    assert re.search(
        r"resolved\.yaml: 1 problem\n  \d+:\d+ +model\.layers\[2\]: bent: Dense stays in real numbers in an int8 file "
        r"\(ELU\)\. Use relu, gelu, selu or swish, which are computed in integers, "
        r"name it in `exclude` of the int8 file, or leave int8 out: "
        r"'deploy\.export=\[TFLite, ONNX\]'\.$",
        str(error),
    )
    assert "compression" not in told
    assert not (folder / "deploy").exists()


def test_deploy_writes_the_other_files_of_such_a_network(bent_run, tmp_path):
    folder = shutil.copytree(bent_run, tmp_path / "001")
    deployment, _ = deploy(folder, "deploy.export=[TFLite]")
    (report,) = deployment.files
    assert report.parity.passed
    assert report.facts["operations"]["ELU"] == 1


@pytest.mark.parametrize(
    ("exports", "expected"),
    [
        ("[TFLite]", [Target.TFLITE]),
        ("[{TFLite: {precision: dynamic}}, ONNX]", [Target.TFLITE, Target.ONNX]),
        ("[{TFLite: {precision: int8}}]", [Target.TFLITE, Target.INT8]),
        ("[{ONNX: {precision: float16}}]", [Target.ONNX]),
        ("[{ONNX: {precision: int8}}]", [Target.ONNX, Target.ONNX_INT8]),
        ("[SavedModel]", []),
    ],
)
def test_targets_are_those_of_the_files(exports, expected, small_config):
    config = load_config(small_config, [f"deploy.export={exports}"])
    assert targets_of(config) == expected
    assert is_asked(config)


def test_files_of_a_config_that_names_none_are_not_asked_for(small_config):
    config = load_config(small_config)
    assert targets_of(config) == [Target.TFLITE, Target.INT8, Target.ONNX]
    assert not is_asked(config)


def test_a_layer_that_is_in_no_file_is_told_without_a_place(small_config):
    inputs = tf.keras.Input((4,))
    model = tf.keras.Model(inputs, tf.keras.layers.ELU(name="elsewhere")(inputs))
    with pytest.raises(ConfigError, match=r"problem\n  elsewhere: ELU stays in real numbers"):
        check_integers(load_config(small_config), model)


def test_a_layer_that_no_tflite_holds_is_not_mended_by_leaving_int8_out(small_config):
    inputs = tf.keras.Input((4, 4, 4, 1))
    model = tf.keras.Model(inputs, tf.keras.layers.MaxPooling3D(name="pool")(inputs))
    with pytest.raises(
        ConfigError, match=r"cannot be in a \.tflite \(MaxPool3D\)\. .*, or export ONNX or SavedModel\.$"
    ):
        check_integers(load_config(small_config), model)


LAYERS = tf.keras.layers


def recurrent(layer, steps=5):
    inputs = tf.keras.Input((steps, 4))
    return tf.keras.Model(inputs, layer(inputs))


INT8 = "deploy.export=[{TFLite: {precision: int8}}]"


@pytest.mark.parametrize("layer", [LAYERS.GRU, LAYERS.SimpleRNN, LAYERS.LSTM])
def test_a_loop_whose_steps_can_be_written_out_is_let_through(layer, small_config):
    check_integers(load_config(small_config, [INT8]), recurrent(layer(3)))


@pytest.mark.parametrize(
    ("exports", "make", "told"),
    [
        (INT8, lambda: recurrent(LAYERS.LSTM(3, name="a"), None), r"LSTM must have a fixed number .* Received: any\."),
        (INT8, lambda: recurrent(LAYERS.GRU(3, name="a"), 300), r"GRU must have at most 256 steps .* Received: 300\."),
        (
            "deploy.export=[{TFLite: {precision: int8, exclude: [a]}}]",
            lambda: recurrent(LAYERS.LSTM(3, name="a"), None),
            r"LSTM must have a fixed number .*, or ONNX, or leave int8 out: 'deploy\.export=\[TFLite, ONNX\]'\.$",
        ),
        (
            "deploy.export=[TFLite, {ONNX: {precision: int8}}]",
            lambda: recurrent(LAYERS.LSTM(3, name="a")),
            r"LSTM cannot be int8 in an \.onnx\. Nothing quantizes its steps: use `precision: float32`, or .*`unroll",
        ),
    ],
    ids=["any number", "many", "excluded", "onnx"],
)
def test_steps_that_cannot_be_integers_are_refused_before_anything_is_trained(exports, make, told, small_config):
    with pytest.raises(ConfigError, match=rf"problem\n  a: {told}") as refused:
        check_integers(load_config(small_config, [exports]), make())
    assert "name it in `exclude`" not in str(refused.value)


def nested():
    """A model made elsewhere, with one inside it."""
    inner_inputs = tf.keras.Input((6,))
    hidden = LAYERS.Dense(5, activation="elu", name="bent")(inner_inputs)
    encoder = tf.keras.Model(inner_inputs, LAYERS.Dropout(0.1, name="drop")(hidden), name="encoder")
    inputs = tf.keras.Input((6,), name="input")
    return tf.keras.Model(inputs, LAYERS.Dense(2, name="answer")(encoder(inputs)))


def test_a_layer_of_a_model_inside_can_be_excluded(small_config):
    model = nested()
    config = load_config(small_config, ["deploy.export=[{TFLite: {precision: int8, exclude: [encoder.bent]}}]"])
    check_excluded(config.experiment.deploy.export, model)
    check_integers(config, model)
    other = load_config(small_config, ["deploy.export=[{TFLite: {precision: int8, exclude: [answer]}}]"])
    with pytest.raises(ConfigError, match=r"encoder\.bent: Dense stays in real numbers .* name it in `exclude`"):
        check_integers(other, model)


def test_a_layer_that_leaves_nothing_in_a_file_cannot_be_excluded(small_config):
    config = load_config(small_config, ["deploy.export=[{TFLite: {precision: int8, exclude: [encoder.drop]}}]"])
    cure = r"\(Dropout\), which became part of other layers, or does nothing there\. Write 'encoder\.bent', or leave it"
    with pytest.raises(NodeError, match=rf"must name layers that the file computes\. Received: 'encoder\.drop' {cure}"):
        check_excluded(config.experiment.deploy.export, nested())


def test_a_block_of_which_something_is_left_can_be_excluded(small_config):
    config = load_config(small_config, ["deploy.export=[{TFLite: {precision: int8, exclude: [encoder]}}]"])
    check_excluded(config.experiment.deploy.export, nested())


def test_a_dropout_that_is_called_as_in_training_can_be_excluded(small_config):
    inputs = tf.keras.Input((6,))
    model = tf.keras.Model(inputs, LAYERS.Dropout(0.1, name="drop")(inputs, training=True))
    config = load_config(small_config, ["deploy.export=[{TFLite: {precision: int8, exclude: [drop]}}]"])
    check_excluded(config.experiment.deploy.export, model)

"""Models that hold Python code: it must not run."""

from __future__ import annotations

import json
import zipfile

import h5py
import pytest

import trainkit
from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.inference.outside import read_model
from trainkit.inference.python_code import refuse_python_code

layers = tf.keras.layers


def writing(filepath):
    """A lambda that leaves a file where it was run."""
    name = str(filepath)
    return lambda x: (__import__("pathlib").Path(name).write_text("run"), x)[1]


def plain(*, name="scale"):
    inputs = tf.keras.Input((3,), name="features")
    return tf.keras.Model(inputs, layers.Dense(2, name=name)(inputs))


def with_layer(code):
    inputs = tf.keras.Input((3,), name="features")
    return tf.keras.Model(inputs, layers.Lambda(code, name="scale")(inputs))


def with_model_inside(code):
    inputs = tf.keras.Input((3,), name="features")
    inside = tf.keras.Sequential([layers.Dense(3), layers.Lambda(code, name="scale")], name="inside")
    return tf.keras.Model(inputs, inside(inputs))


def with_wrapper(code):
    inputs = tf.keras.Input((4, 3), name="features")
    return tf.keras.Model(inputs, layers.TimeDistributed(layers.Lambda(code, name="scale"))(inputs))


@pytest.fixture
def save(tmp_path):
    """Save a model of which nothing has been left behind; Keras warns of .h5 files."""

    def save(model, suffix):
        filepath = tmp_path / f"mine{suffix}"
        if suffix == ".h5":
            with pytest.warns(UserWarning, match="HDF5"):
                model.save(filepath)
        else:
            model.save(filepath)
        (tmp_path / "was_run").unlink(missing_ok=True)
        return filepath

    return save


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("make", [with_layer, with_model_inside, with_wrapper], ids=["layer", "inside", "wrapped"])
def test_lambda_is_refused_before_it_is_run(make, suffix, save, tmp_path):
    filepath = save(make(writing(tmp_path / "was_run")), suffix)
    told = rf"without Python code, which is not run\. Received: '\S+mine\{suffix}', which has it in "
    with pytest.raises(InputError, match=told + r"'scale'\. Save the model again with layers of Keras in its place"):
        read_model(filepath)
    assert not (tmp_path / "was_run").exists()


def test_lambda_is_refused_by_the_child_too(save, tmp_path):
    filepath = save(with_layer(writing(tmp_path / "was_run")), ".h5")
    with pytest.raises(InputError, match=r"has it in 'scale'\. Save the model again"):
        trainkit.load(filepath)
    assert not (tmp_path / "was_run").exists()


def test_lambda_is_found_in_a_file_that_is_zip_and_hdf5(save, tmp_path):
    """Each reader sees its own half."""
    filepath = save(with_layer(writing(tmp_path / "was_run")), ".h5")
    with zipfile.ZipFile(filepath, "a") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(InputError, match="'scale'"):
        refuse_python_code(filepath)


@pytest.mark.parametrize(
    "config",
    [
        '{"class_name": "keras>Lambda", "config": {"name": "scale"}}',
        '{"class_name": "layers.Lambda", "module": "keras", "config": {"name": "scale"}}',
        '{"class_name": "Wrapper", "config": {"name": "scale", "residual_fn_type": "lambda"}}',
        '{"config": {"name": "scale", "activation": {"class_name": "__lambda__", "config": {"value": ["4wE"]}}}}',
    ],
    ids=["registered", "dotted", "argument", "activation"],
)
def test_code_is_found_by_any_of_its_names(config, tmp_path):
    with h5py.File(tmp_path / "mine.h5", "w") as file:
        file.attrs["model_config"] = config
    with pytest.raises(InputError, match="'scale'"):
        refuse_python_code(tmp_path / "mine.h5")


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_model_without_code_is_read(suffix, save):
    model = plain(name="lambda")
    filepath = save(model, suffix)
    for read, written in zip(read_model(filepath).get_weights(), model.get_weights(), strict=True):
        assert read.tolist() == written.tolist()


@pytest.mark.parametrize("content", [b"", b"no model", b"\x89HDF\r\n\x1a\n" + bytes(90)], ids=["empty", "text", "cut"])
def test_file_that_is_no_model_is_left_to_keras(content, tmp_path):
    (tmp_path / "mine.h5").write_bytes(content)
    refuse_python_code(tmp_path / "mine.h5")


def call(function):
    """A model that calls a function of TensorFlow, as tf_keras saves it."""
    inputs = tf.keras.Input((2,), name="input")
    outputs = tf.keras.layers.Dense(1, name="answer")(tf.math.add(inputs, 1.0))
    config = json.loads(tf.keras.Model(inputs, outputs).to_json())
    (layer,) = [one for one in config["config"]["layers"] if one["class_name"] == "TFOpLambda"]
    layer["config"]["function"] = function
    return config


@pytest.mark.parametrize("function", ["io.write_file", "py_function", "raw_ops.WriteFile", "print", "math.x.y.z"])
def test_functions_that_do_more_than_compute_are_refused(function, tmp_path):
    with zipfile.ZipFile(tmp_path / "mine.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(call(function)))
    with pytest.raises(InputError, match=r"must be a model without Python code.*tf\.math\.add"):
        refuse_python_code(tmp_path / "mine.keras")


@pytest.mark.parametrize("function", ["math.add", "nn.relu", "__operators__.add", "reshape"])
def test_functions_that_compute_are_let_through(function, tmp_path):
    with zipfile.ZipFile(tmp_path / "mine.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(call(function)))
    refuse_python_code(tmp_path / "mine.keras")


def test_classes_of_other_packages_are_refused(tmp_path):
    config = call("math.add")
    config["config"]["layers"][-1]["module"] = "os.path"
    with zipfile.ZipFile(tmp_path / "mine.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    with pytest.raises(InputError, match="has it in 'answer'"):
        refuse_python_code(tmp_path / "mine.keras")

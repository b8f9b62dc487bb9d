"""Weights are found in the files of Keras by the names of the layers."""

from __future__ import annotations

import zipfile

import h5py
import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.models.saved_weights import WeightsError, find_weights, read_weights

pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")


@pytest.mark.parametrize("name", ["w.keras", "w.h5", "weights_only.h5"])
def test_read_weights_names_them_by_layer(name, tmp_path, network, fill):
    model = fill(network())
    if name == "weights_only.h5":
        model.save_weights(tmp_path / name)
    else:
        model.save(tmp_path / name)
    saved = read_weights(tmp_path / name)
    assert saved.by == ("names" if name == "weights_only.h5" else "arguments")
    found = {name: layer.arrays for name, layer in saved.layers.items() if layer.parts}
    assert set(found) == {"z_separable", "norm", "second", "first", "block/depthwise", "head"}
    for layer, arrays in found.items():
        for left, right in zip(arrays, model.get_layer(layer).get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)


def test_read_weights_knows_a_sequential_model(tmp_path, fill):
    layers = [tf.keras.layers.Dense(2, name="one"), tf.keras.layers.Dense(2, name="two")]
    model = fill(tf.keras.Sequential([tf.keras.Input((2,)), *layers]))
    model.save(tmp_path / "w.keras")
    found = read_weights(tmp_path / "w.keras").layers
    np.testing.assert_array_equal(found["one"].arrays[0], layers[0].get_weights()[0])
    np.testing.assert_array_equal(found["two"].arrays[0], layers[1].get_weights()[0])


def test_read_weights_knows_layers_inside_a_wrapper(tmp_path, fill):
    inputs = tf.keras.Input((3, 2))
    wrapped = tf.keras.layers.TimeDistributed(tf.keras.layers.Dense(4), name="steps")
    model = fill(tf.keras.Model(inputs, wrapped(inputs)))
    model.save(tmp_path / "w.keras")
    for left, right in zip(
        read_weights(tmp_path / "w.keras").layers["steps"].arrays, wrapped.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(left, right)


CONFIGS = {"other": "{}", "words": "words", "list": "[]", "layers": '{"config": {"layers": [1]}}'}


def broken(path, kind):
    """A file that is none of weights, or an archive with something else in it."""
    if kind not in CONFIGS:
        path.write_text(kind)
        return
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        file.create_group("layers")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", CONFIGS[kind])
        archive.write(path.with_suffix(".h5"), "model.weights.h5")


@pytest.mark.parametrize("kind", ["no weights", "", *CONFIGS], ids=["text", "empty", *CONFIGS])
def test_read_weights_refuses_what_is_no_such_file(kind, tmp_path):
    broken(tmp_path / "w.keras", kind)
    with pytest.raises(WeightsError, match=r"w\.keras is no file of weights of Keras: "):
        read_weights(tmp_path / "w.keras")


@pytest.mark.parametrize("name", ["w.keras", "w.h5"])
def test_read_weights_refuses_half_a_file(name, tmp_path, network, fill):
    fill(network()).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError, match=r"is no file of weights of Keras: "):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_read_weights_knows_the_layers_of_a_model_inside_the_model(suffix, tmp_path, fill):
    inner = tf.keras.Sequential([tf.keras.layers.Dense(3, name="conv")], name="backbone")
    inputs = tf.keras.Input((2,))
    model = fill(tf.keras.Model(inputs, tf.keras.layers.Dense(1, name="head")(inner(inputs))))
    model.save(tmp_path / f"w.{suffix}")
    found = read_weights(tmp_path / f"w.{suffix}").layers
    assert {name for name, layer in found.items() if layer.parts} == {"backbone.conv", "head"}
    np.testing.assert_array_equal(found["backbone.conv"].arrays[0], inner.get_weights()[0])


def test_read_weights_knows_vocabularies_given_and_learned(tmp_path):
    learned = tf.keras.layers.StringLookup(name="learned")
    learned.adapt(["b", "a", "b"])
    given = tf.keras.layers.StringLookup(vocabulary=["x", "y"], name="given")
    inputs = tf.keras.Input((1,), dtype="string")
    model = tf.keras.Model(inputs, tf.keras.layers.Add()([learned(inputs), given(inputs)]))
    model.save(tmp_path / "w.keras")
    found = read_weights(tmp_path / "w.keras").layers
    assert found["learned"].vocabulary == ("[UNK]", "b", "a")
    assert found["given"].vocabulary == ("x", "y")


def test_read_weights_runs_no_code_of_a_file(tmp_path, fill):
    """The marshalled function of a Lambda is no function any more: Keras itself could not read the file."""
    inputs = tf.keras.Input((2,))
    code = tf.keras.layers.Lambda(lambda x: x + 1, name="code")
    fill(tf.keras.Model(inputs, tf.keras.layers.Dense(2, name="one")(code(inputs)))).save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as old, zipfile.ZipFile(tmp_path / "w.keras", "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(
                name, text.replace(b'"function": ["', b'"function": ["AAAA') if name == "config.json" else text
            )
    with pytest.raises((ValueError, EOFError, TypeError)):
        tf.keras.models.load_model(tmp_path / "w.keras", safe_mode=False)
    assert read_weights(tmp_path / "w.keras").layers["one"].parts


def test_find_weights_takes_a_run_and_the_newest_of_several(tmp_path):
    for number in ("9", "10"):
        (tmp_path / number).mkdir()
        (tmp_path / number / "manifest.json").write_text("{}")
        (tmp_path / number / "model.keras").write_text("")
    assert find_weights(tmp_path) == tmp_path / "10/model.keras"
    assert find_weights(tmp_path / "9") == tmp_path / "9/model.keras"
    (tmp_path / "10/model.keras").unlink()
    with pytest.raises(WeightsError, match=r"10 has no model: its training did not finish\. trainkit fit --resume"):
        find_weights(tmp_path)

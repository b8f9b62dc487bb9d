"""Weights are found in the files of Keras by the names of the layers."""

from __future__ import annotations

import zipfile

import h5py
import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.models.saved_weights import WeightsError, assign_weights, read_weights

pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")


def network(prefix="", units=3):
    """Layers of several kinds, two of them of one class and in an order that is not that of their names."""
    keras = tf.keras.layers
    inputs = tf.keras.Input((6, 6, 2))
    x = keras.SeparableConv2D(4, 3, name=f"{prefix}z_separable")(inputs)
    x = keras.BatchNormalization(name=f"{prefix}norm")(x)
    x = keras.Conv2D(4, 1, name=f"{prefix}second", trainable=False)(x)
    x = keras.Conv2D(4, 1, use_bias=False, name=f"{prefix}first")(x)
    x = keras.ReLU()(x)
    x = keras.DepthwiseConv2D(3, name=f"{prefix}block/depthwise".replace("/", "_" if prefix else "/"))(x)
    x = keras.Flatten()(x)
    return tf.keras.Model(inputs, keras.Dense(units, name=f"{prefix}head")(x))


def fill(model):
    """Every number another one."""
    shapes = [weights.shape for weights in model.get_weights()]
    numbers = np.random.default_rng(3).uniform(0.1, 1, sum(map(int, map(np.prod, shapes))))
    parts = np.split(numbers, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
    model.set_weights([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])
    return model


def assert_same(model, other):
    pairs = list(zip(model.get_weights(), other.get_weights(), strict=True))
    assert len(pairs) == 3 + 4 + 2 + 1 + 2 + 2
    for left, right in pairs:
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("name", ["w.keras", "w.h5", "weights_only.h5"])
def test_read_weights_names_them_by_layer(name, tmp_path):
    model = fill(network())
    if name == "weights_only.h5":
        model.save_weights(tmp_path / name)
    else:
        model.save(tmp_path / name)
    found = {name: arrays for name, arrays in read_weights(tmp_path / name).items() if arrays}
    assert set(found) == {"z_separable", "norm", "second", "first", "block/depthwise", "head"}
    for layer, arrays in found.items():
        for left, right in zip(arrays, model.get_layer(layer).get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)


def test_read_weights_knows_a_sequential_model(tmp_path):
    layers = [tf.keras.layers.Dense(2, name="one"), tf.keras.layers.Dense(2, name="two")]
    model = fill(tf.keras.Sequential([tf.keras.Input((2,)), *layers]))
    model.save(tmp_path / "w.keras")
    found = read_weights(tmp_path / "w.keras")
    np.testing.assert_array_equal(found["one"][0], layers[0].get_weights()[0])
    np.testing.assert_array_equal(found["two"][0], layers[1].get_weights()[0])


def test_read_weights_knows_layers_inside_a_wrapper(tmp_path):
    inputs = tf.keras.Input((3, 2))
    wrapped = tf.keras.layers.TimeDistributed(tf.keras.layers.Dense(4), name="steps")
    model = fill(tf.keras.Model(inputs, wrapped(inputs)))
    model.save(tmp_path / "w.keras")
    for left, right in zip(read_weights(tmp_path / "w.keras")["steps"], wrapped.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("name", ["w.keras", "w.h5", "w.weights.h5"])
def test_assign_weights_gives_a_network_those_of_a_file(name, tmp_path):
    model, twin = fill(network()), network()
    model.save_weights(tmp_path / name) if "weights" in name else model.save(tmp_path / name)
    assign_weights(twin, tmp_path / name)
    assert_same(model, twin)


def test_assign_weights_takes_a_part_of_a_larger_network_by_its_prefix(tmp_path):
    """A run has the layers as `backbone.norm`, and others beside them."""
    (tmp_path / "run").mkdir()
    model = fill(network("backbone."))
    more = tf.keras.layers.Dense(3, name="head")(model.output)  # not the `head` that is looked for
    fill(tf.keras.Model(model.input, more)).save(tmp_path / "run/model.keras")
    twin = network()
    assign_weights(twin, tmp_path / "run", prefixes=("backbone.", ""))
    assert_same(model, twin)


def test_assign_weights_prefers_the_first_prefix_and_falls_back(tmp_path):
    model, twin = fill(network()), network()
    model.save(tmp_path / "w.keras")
    assign_weights(twin, tmp_path / "w.keras", prefixes=("backbone.", ""))
    assert_same(model, twin)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_assign_weights_refuses_other_shapes_and_names(suffix, tmp_path):
    fill(network()).save(tmp_path / f"w.{suffix}")
    told = r"the weights of 'head' must have the shapes \[\(16, 5\), \(5,\)\]\. Received: \[\(16, 3\), \(3,\)\]\."
    with pytest.raises(WeightsError, match=told):
        assign_weights(network(units=5), tmp_path / f"w.{suffix}")
    with pytest.raises(WeightsError, match=r"no weights for 6 of 6 layers: a\.z_separable, a\.norm, a\.second, …"):
        assign_weights(network("a."), tmp_path / f"w.{suffix}")


def test_assign_weights_refuses_a_file_of_another_network_without_names(tmp_path):
    fill(network()).save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(WeightsError, match=r"w\.weights\.h5 does not have the weights of this network: .*[^.]\.$"):
        assign_weights(network(units=5), tmp_path / "w.weights.h5")


def test_assign_weights_refuses_what_is_missing(tmp_path):
    with pytest.raises(WeightsError, match=r"a file of Keras or a run\. Received: '.*a\.h5', which does not exist"):
        assign_weights(network(), tmp_path / "a.h5")
    with pytest.raises(WeightsError, match=r"Received: '.*model\.keras', which does not exist\."):
        assign_weights(network(), tmp_path)


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
    with pytest.raises(WeightsError, match=r"w\.keras is no file of weights that names its layers: "):
        read_weights(tmp_path / "w.keras")


@pytest.mark.parametrize("name", ["w.keras", "w.h5"])
def test_read_weights_refuses_half_a_file(name, tmp_path):
    fill(network()).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError, match=r"is no file of weights that names its layers: "):
        read_weights(tmp_path / name)

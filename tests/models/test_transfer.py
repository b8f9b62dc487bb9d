"""Layers of a network take the weights that a file has under their names, where they mean the same there."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.models.saved_weights import WeightsError, read_weights
from trainkit.models.transfer import assign_weights, renamed, transfer_weights

pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
keras = tf.keras.layers


def assert_same(model, other):
    pairs = list(zip(model.get_weights(), other.get_weights(), strict=True))
    assert len(pairs) == 3 + 4 + 2 + 1 + 2 + 2
    for left, right in pairs:
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("name", ["w.keras", "w.h5", "w.weights.h5"])
def test_assign_weights_gives_a_network_those_of_a_file(name, tmp_path, network, fill):
    model, twin = fill(network()), network()
    model.save_weights(tmp_path / name) if "weights" in name else model.save(tmp_path / name)
    assign_weights(twin, tmp_path / name)
    assert_same(model, twin)


def test_assign_weights_takes_a_part_of_a_larger_network_by_its_prefix(tmp_path, network, fill):
    """A run has the layers as `backbone.norm`, and others beside them."""
    (tmp_path / "run").mkdir()
    model = fill(network("backbone."))
    more = tf.keras.layers.Dense(3, name="head")(model.output)  # not the `head` that is looked for
    fill(tf.keras.Model(model.input, more)).save(tmp_path / "run/model.keras")
    twin = network()
    assign_weights(twin, tmp_path / "run", prefixes=("backbone.", ""))
    assert_same(model, twin)


def test_assign_weights_prefers_the_first_prefix_and_falls_back(tmp_path, network, fill):
    model, twin = fill(network()), network()
    model.save(tmp_path / "w.keras")
    assign_weights(twin, tmp_path / "w.keras", prefixes=("backbone.", ""))
    assert_same(model, twin)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_assign_weights_refuses_other_shapes_and_names(suffix, tmp_path, network, fill):
    fill(network()).save(tmp_path / f"w.{suffix}")
    told = r"has other weights than 'head', which has weights: \(16, 5\), \(5,\) here, \(16, 3\), \(3,\) in the file\."
    with pytest.raises(WeightsError, match=told):
        assign_weights(network(units=5), tmp_path / f"w.{suffix}")
    with pytest.raises(WeightsError, match=r"no weights for 6 of 6 layers: a\.z_separable, a\.norm, a\.second, …"):
        assign_weights(network("a."), tmp_path / f"w.{suffix}")


def test_assign_weights_refuses_a_file_of_another_network_without_names(tmp_path, network, fill):
    fill(network()).save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(WeightsError, match=r"w\.weights\.h5 has other weights than 'head'"):
        assign_weights(network(units=5), tmp_path / "w.weights.h5")


def test_assign_weights_refuses_what_is_missing(tmp_path, network):
    with pytest.raises(WeightsError, match=r"a file of Keras or a run\. Received: '.*a\.h5', which does not exist"):
        assign_weights(network(), tmp_path / "a.h5")
    with pytest.raises(WeightsError, match=r"Received: '.*model\.keras', which does not exist\."):
        assign_weights(network(), tmp_path)


@pytest.fixture
def file_of(tmp_path):
    """Saves a model, and reads what the file has."""

    def save(model, name="w.keras"):
        model.save_weights(tmp_path / name) if "weights" in name else model.save(tmp_path / name)
        return read_weights(tmp_path / name)

    return save


def chain(*layers, shape=(6,), dtype=None):
    """A model of layers, one after the other."""
    inputs = x = tf.keras.Input(shape, dtype=dtype)
    for layer in layers:
        x = layer(x)
    return tf.keras.Model(inputs, x)


def test_transfer_takes_a_network_into_one_with_another_head(network, fill, file_of):
    model, twin = fill(network()), network(units=5)
    before = twin.get_layer("head").get_weights()
    found = transfer_weights(twin, file_of(model))
    assert found.loaded == ["z_separable", "norm", "second", "first", "block/depthwise"]
    assert found.skipped == {"head": "has weights: (16, 5), (5,) here, (16, 3), (3,) in the file"}
    assert (found.missing, found.unused) == ([], [])
    assert found.numbers == sum(array.size for array in model.get_weights()[:12])
    for name in found.loaded:
        for left, right in zip(twin.get_layer(name).get_weights(), model.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)
    for left, right in zip(twin.get_layer("head").get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("name", ["w.keras", "w.h5"])
def test_transfer_takes_layers_under_the_prefix_of_a_block(name, network, fill, file_of):
    model, twin = fill(network()), network("backbone.")
    saved = file_of(model, name)
    found = transfer_weights(twin, saved, find=renamed(saved, {"*": "backbone.*"}))
    assert (len(found.loaded), found.skipped, found.missing, found.unused) == (6, {}, [], [])
    assert_same(model, twin)


def test_transfer_tells_what_is_missing_and_what_is_unused(file_of):
    saved = file_of(chain(keras.Dense(2, name="a"), keras.ReLU(), keras.Dense(2, name="b")))
    found = transfer_weights(chain(keras.Dense(2, name="a"), keras.Dense(2, name="c")), saved)
    assert (found.loaded, found.missing, found.unused) == (["a"], ["c"], ["b"])


def test_transfer_takes_only_the_layers_asked_for(file_of):
    saved = file_of(chain(keras.Dense(2, name="a"), keras.Dense(2, name="b")))
    found = transfer_weights(chain(keras.Dense(2, name="a"), keras.Dense(2, name="b")), saved, layers=["a*"])
    assert (found.loaded, found.skipped) == (["a"], {"b": "is not in `layers`"})


CONV = {"filters": 2, "kernel_size": 3, "name": "it"}
OTHERS = {
    "strides": (
        lambda: keras.Conv2D(**CONV),
        lambda: keras.Conv2D(**CONV, strides=2),
        r"strides: \[1, 1\] here, \[2, 2\]",
    ),
    "padding": (
        lambda: keras.Conv2D(**CONV),
        lambda: keras.Conv2D(**CONV, padding="same"),
        "'valid' here, 'same' in the",
    ),
    "dilation": (lambda: keras.Conv2D(**CONV), lambda: keras.Conv2D(**CONV, dilation_rate=2), "dilation_rate: "),
    "activation": (
        lambda: keras.Conv2D(**CONV),
        lambda: keras.Conv2D(**CONV, activation="relu"),
        "activation: 'linear' here, 'relu' in the file",
    ),
    "epsilon": (
        lambda: keras.BatchNormalization(name="it"),
        lambda: keras.BatchNormalization(epsilon=0.1, name="it"),
        "epsilon: 0.001 here, 0.1 in the file",
    ),
    "class": (
        lambda: keras.Conv2D(**CONV | {"filters": 18, "kernel_size": 1}),
        lambda: keras.Dense(18, name="it"),
        "is Conv2D here, Dense in the file",
    ),
    "inside": (
        lambda: keras.TimeDistributed(keras.Dense(3, activation="relu"), name="it"),
        lambda: keras.TimeDistributed(keras.Dense(3), name="it"),
        "activation: 'relu' here, 'linear' in the file",
    ),
}


@pytest.mark.parametrize("name", ["w.keras", "w.h5"])
@pytest.mark.parametrize(("here", "there", "told"), OTHERS.values(), ids=OTHERS)
def test_transfer_skips_a_layer_whose_weights_mean_something_else(here, there, told, name, file_of):
    saved = file_of(chain(there(), shape=(8, 8, 2)), name)
    model = chain(here(), shape=(8, 8, 2))
    before = model.get_weights()
    found = transfer_weights(model, saved)
    assert found.loaded == []
    assert re.search(told, found.skipped["it"])
    for left, right in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)


SAME = {
    "momentum": lambda there: keras.BatchNormalization(momentum=0.9 if there else 0.99, name="it"),
    "trainable": lambda there: keras.Conv2D(**CONV, trainable=there, kernel_regularizer="l2" if there else None),
    "initializer": lambda there: keras.Conv2D(**CONV, kernel_initializer="he_normal" if there else "zeros"),
    "axis": lambda there: keras.BatchNormalization(axis=3 if there else -1, name="it"),
    "alike activations": lambda there: keras.Conv2D(**CONV, activation=tf.nn.relu if there else "relu"),
}


@pytest.mark.parametrize("name", ["w.keras", "w.h5"])
@pytest.mark.parametrize("make", SAME.values(), ids=SAME)
def test_transfer_lets_arguments_differ_that_change_no_meaning(make, name, fill, file_of):
    model, twin = fill(chain(make(True), shape=(8, 8, 2))), chain(make(False), shape=(8, 8, 2))
    found = transfer_weights(twin, file_of(model, name))
    assert found.skipped == {}
    twin.layers[1].trainable = model.layers[1].trainable
    for left, right in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


COMPOSED = {
    "Bidirectional": lambda: keras.Bidirectional(keras.LSTM(3, return_sequences=True), name="it"),
    "TimeDistributed": lambda: keras.TimeDistributed(keras.Dense(3), name="it"),
    "RNN of cells": lambda: keras.RNN([keras.GRUCell(3), keras.LSTMCell(2)], return_sequences=True, name="it"),
    "Bidirectional of LSTMs apart": lambda: keras.Bidirectional(
        keras.GRU(3, return_sequences=True),
        backward_layer=keras.GRU(2, return_sequences=True, go_backwards=True),
        name="it",
    ),
}


@pytest.mark.parametrize("name", ["w.keras", "w.h5", "w.weights.h5"])
@pytest.mark.parametrize("make", COMPOSED.values(), ids=COMPOSED)
def test_transfer_fills_layers_that_are_made_of_several(make, name, fill, file_of):
    model, twin = fill(chain(make(), shape=(5, 4))), chain(make(), shape=(5, 4))
    found = transfer_weights(twin, file_of(model, name))
    assert found.loaded == ["it"]
    x = np.random.default_rng(1).normal(size=(2, 5, 4)).astype("float32")
    np.testing.assert_array_equal(twin(x).numpy(), model(x).numpy())


@pytest.mark.parametrize("name", ["w.keras", "w.h5", "w.weights.h5"])
def test_transfer_fills_attention(name, fill, file_of):
    def make(steps):
        inputs = tf.keras.Input((steps, 4))
        return tf.keras.Model(inputs, keras.MultiHeadAttention(2, 3, name="it")(inputs, inputs))

    model, twin = fill(make(5)), make(7)
    assert transfer_weights(twin, file_of(model, name)).loaded == ["it"]
    x = np.random.default_rng(1).normal(size=(2, 5, 4)).astype("float32")
    for left, right in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    layer, other = model.get_layer("it"), twin.get_layer("it")
    np.testing.assert_array_equal(layer(x, x).numpy(), other(x, x).numpy())


def normalized(data):
    layer = keras.Normalization(name="scale")
    layer.adapt(data)
    return chain(layer, keras.Dense(2, name="dense"), shape=(3,))


@pytest.mark.parametrize("name", ["w.keras", "w.h5", "w.weights.h5"])
@pytest.mark.parametrize(("statistics", "mean"), [(True, 10), (False, 4)], ids=["file", "data"])
def test_transfer_takes_statistics_or_leaves_them(statistics, mean, name, file_of):
    saved = file_of(normalized(np.full((4, 3), 10.0)), name)
    model = normalized(np.full((4, 3), 4.0))
    found = transfer_weights(model, saved, statistics=statistics)
    assert found.statistics == (["scale"] if statistics else [])
    assert found.loaded == [*found.statistics, "dense"]
    np.testing.assert_allclose(model.get_layer("scale")(np.full((1, 3), mean, "float32")), 0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
@pytest.mark.parametrize("name", ["w.keras", "w.weights.h5"])
def test_transfer_takes_the_borders_of_bins(name, file_of):
    """Learned from another number of values, so that the summaries that they follow from are of other lengths."""

    def bins(values):
        layer = keras.Discretization(num_bins=2, name="bins")
        layer.adapt(values[:, np.newaxis])
        return chain(layer, keras.Rescaling(1.0), shape=(1,))

    model = bins(np.arange(10, dtype="float32"))
    found = transfer_weights(model, file_of(bins(np.arange(100, 130, dtype="float32")), name))
    assert (found.loaded, found.skipped) == (["bins"], {})
    assert model(np.array([[50.0], [129.0]], "float32")).numpy().ravel().tolist() == [0, 1]


def test_transfer_knows_axes_counted_from_the_last(file_of):
    """As Keras 3 writes them."""
    saved = file_of(chain(keras.BatchNormalization(name="it"), shape=(4, 4, 2)))
    layer = saved.layers["it"]
    assert layer.config["axis"] == [3]
    for axis, loaded in ((-1, ["it"]), (3, ["it"]), (1, [])):
        layers = {"it": replace(layer, config={**layer.config, "axis": axis})}
        model = chain(keras.BatchNormalization(name="it"), shape=(4, 4, 2))
        assert transfer_weights(model, replace(saved, layers=layers)).loaded == loaded


def words(*vocabulary, kind="learned"):
    lookup = keras.StringLookup(name="words", vocabulary=list(vocabulary) if kind == "given" else None)
    if kind == "learned":
        lookup.adapt(list(vocabulary))
    layers = [keras.Reshape((2,)), keras.Embedding(4, 2, name="meaning"), keras.Flatten(), keras.Dense(1, name="head")]
    return chain(lookup, *layers, shape=(2,), dtype="string")


@pytest.mark.parametrize("here", ["learned", "given"])
@pytest.mark.parametrize("there", ["learned", "given"])
def test_transfer_gives_no_weights_to_what_stands_behind_another_vocabulary(here, there, file_of):
    """Row 2 of the embedding belongs to `b`: where that word has become `x`, it must not be taken over."""
    saved = file_of(words("c", "b", "a", kind=there))
    found = transfer_weights(words("c", "x", "a", kind=here), saved)
    assert found.loaded == ["head"]
    assert found.skipped == {
        "words": "has another vocabulary: 3 words here, 3 in the file",
        "meaning": "stands behind 'words', whose vocabulary is another in the file",
    }
    assert transfer_weights(words("c", "b", "a", kind=here), saved).loaded == ["words", "meaning", "head"]


def test_transfer_of_a_file_without_names_goes_by_kind_and_order(fill, file_of):
    def make(units, prefix=""):
        return chain(*(keras.Dense(n, name=f"{prefix}{i}") for i, n in enumerate([4, 5, units])))

    model, twin = fill(make(3, "old")), make(2, "new")
    found = transfer_weights(twin, file_of(model, "w.weights.h5"))
    assert (found.by, found.loaded, list(found.skipped)) == ("order", ["new0", "new1"], ["new2"])
    np.testing.assert_array_equal(twin.layers[2].get_weights()[0], model.layers[2].get_weights()[0])


@pytest.mark.parametrize(
    ("rename", "name"),
    [
        ({"*": "net.*"}, "net.conv.a"),
        ({"conv.*": "stem.*"}, "stem.a"),
        ({"conv": "stem"}, "stem.a"),
        ({"co?v.*": "x?.*"}, "xn.a"),
        ({"conv.a": "b", "*": "net.*"}, "b"),
    ],
)
def test_renamed_puts_what_a_star_stands_for_into_the_new_name(rename, name, file_of):
    saved = file_of(chain(keras.Dense(2, name="conv.a")))
    assert renamed(saved, rename)(name) == "conv.a"


def test_renamed_refuses_patterns_without_a_layer_and_names_used_twice(file_of):
    saved = file_of(chain(keras.Dense(2, name="a"), keras.Dense(2, name="b")))
    with pytest.raises(WeightsError, match=r"must fit names of the file\. Received: 'c\*'\. It has a, b\."):
        renamed(saved, {"c*": "d*"})
    with pytest.raises(WeightsError, match=r"a name of its own\. Received: 'a' and 'b' as 'x'\."):
        renamed(saved, {"?": "x"})

"""A .tkz file as a model of tf_keras."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import trainkit
from trainkit.coding import write_container
from trainkit.errors import InputError, PredictionError
from trainkit.framework import tf
from trainkit.inference.tkz import read_tkz
from trainkit.inference.unpack import unpack_file

layers = tf.keras.layers


def described(model):
    return json.loads(json.dumps(tf.keras.saving.serialize_keras_object(model)))


def small():
    inputs = tf.keras.Input((6,), name="input")
    return tf.keras.Model(inputs, layers.Dense(3, name="answer")(inputs), name="small")


@pytest.fixture(scope="module")
def network():
    return described(small())


def save(filepath, network, weights=None):
    weights = [np.eye(6, 3, dtype=np.float32), np.zeros(3, np.float32)] if weights is None else weights
    text = network if isinstance(network, str) else json.dumps(network)
    filepath.write_bytes(write_container(text, weights, [None] * len(weights)))
    return filepath


@pytest.fixture
def filepath(network, tmp_path):
    return save(tmp_path / "small.tkz", network)


def test_a_file_is_loaded_and_answers_like_its_model(filepath):
    model = trainkit.load(filepath, trusted=True)
    assert np.array_equal(model(np.arange(6, dtype=np.float32)), [0, 1, 2])


def test_a_file_of_a_stranger_is_opened_in_a_child(filepath):
    assert np.array_equal(trainkit.load(filepath)(np.arange(6, dtype=np.float32)), [0, 1, 2])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_is_a_clear_error(filepath, place, change):
    content = bytearray(filepath.read_bytes())
    content[place % len(content)] ^= change
    other = filepath.with_name("other.tkz")
    other.write_bytes(content)
    with pytest.raises(InputError, match=r"`file` must be a whole \.tkz file\. Received: .*other\.tkz"):
        unpack_file(other)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_network_that_nobody_has_written_is_a_clear_error_or_a_network(network, tmp_path, data):
    text = json.dumps(network)
    place = data.draw(st.integers(0, len(text) - 1))
    text = text[:place] + data.draw(st.text('"{}[],:01-eE ntfx\\', max_size=3)) + text[place + 1 :]
    with suppress(PredictionError, InputError):
        assert read_tkz(save(tmp_path / "other.tkz", text)).count_params() == 21


HOSTILE = {
    "no network": ("3", "describes no network"),
    "no JSON": ("{", "describes no network"),
    "a deep one": ("[" * 100_000, "describes no network"),
    "a layer": ({"class_name": "Dense", "config": {"units": 3}, "module": "keras.layers"}, "describes no network"),
    "an unknown layer": ({"class_name": "Mine", "config": {}, "registered_name": "Mine"}, "cannot be built"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_describes_no_network_is_refused(name, tmp_path):
    text, told = HOSTILE[name]
    with pytest.raises(PredictionError, match=rf"other\.tkz .*{told}"):
        read_tkz(save(tmp_path / "other.tkz", text))


def test_a_network_of_more_weights_than_it_brings_is_refused_before_there_is_room_for_them(network, tmp_path):
    text = json.dumps(network).replace('"units": 3', '"units": 1000000000000')
    with pytest.raises(PredictionError, match="describes a network of more than the 21 values that it brings"):
        read_tkz(save(tmp_path / "other.tkz", text))


def test_weights_of_another_network_are_refused(network, tmp_path):
    weights = [np.zeros((3, 6), np.float32), np.zeros(3, np.float32)]
    with pytest.raises(PredictionError, match="describes a network of 2 weights that are not the 2 it brings"):
        read_tkz(save(tmp_path / "other.tkz", network, weights))


@pytest.mark.parametrize("change", [("keras.layers", "os"), ("Dense", "Lambda")], ids=["module", "lambda"])
def test_a_network_is_never_code(change, network, tmp_path):
    text = json.dumps(network).replace(*change)
    with pytest.raises(InputError, match="must be a model without Python code"):
        read_tkz(save(tmp_path / "other.tkz", text))


def test_unpack_gives_the_weights_back(filepath):
    made = unpack_file(filepath)
    model = tf.keras.models.load_model(made.filepath, compile=False)
    assert made.parameters == model.count_params() == 21
    assert np.array_equal(model.get_weights()[0], np.eye(6, 3))


def test_unpack_leaves_a_file_alone_that_is_there(filepath, tmp_path):
    (tmp_path / "small.keras").write_text("mine")
    with pytest.raises(InputError, match=r"small\.keras exists and is left alone"):
        unpack_file(filepath)
    assert (tmp_path / "small.keras").read_text() == "mine"


@pytest.mark.parametrize("name", ["missing.tkz", "small.txt"])
def test_unpack_refuses_what_is_no_such_file(name, tmp_path):
    (tmp_path / "small.txt").write_text("TKZ")
    with pytest.raises(InputError, match=r"`file` must be a \.tkz file"):
        unpack_file(tmp_path / name)

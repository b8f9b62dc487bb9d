"""A value for every missing number: numbers from arithmetic on paper."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.models.layers import Impute

NAN = np.nan
ROWS = np.array([[1, 10], [2, NAN], [NAN, 40], [6, 70]], np.float32)


@pytest.mark.parametrize(
    ("strategy", "expected"), [("mean", [3, 40]), ("median", [2, 40]), ("constant", [-1, -1])], ids=str
)
def test_missing_numbers_become_the_value_of_their_feature(strategy, expected):
    layer = Impute(strategy, fill_value=-1)
    layer.adapt(ROWS)
    np.testing.assert_allclose(layer(np.full((1, 2), NAN, np.float32)), [expected])


def test_other_numbers_stay():
    layer = Impute()
    layer.adapt(ROWS)
    np.testing.assert_array_equal(layer(ROWS[[0, 3]]), ROWS[[0, 3]])
    np.testing.assert_array_equal(layer(np.array([[5, np.inf]], np.float32)), [[5, np.inf]])


def test_values_are_of_all_batches():
    layer = Impute("median")
    layer.adapt(tf.data.Dataset.from_tensor_slices(ROWS).batch(3))
    np.testing.assert_allclose(layer.values, [2, 40])


def test_features_are_the_last_axis():
    layer = Impute()
    layer.adapt(ROWS.reshape(2, 2, 2))
    np.testing.assert_allclose(layer.values, [3, 40])


def test_second_adaptation_forgets_the_first():
    layer = Impute()
    layer.adapt(ROWS)
    layer.adapt(ROWS * 2)
    np.testing.assert_allclose(layer.values, [6, 80])


def test_layer_is_adapted_when_it_has_values():
    layer = Impute()
    assert not layer.is_adapted
    layer.build((None, 2))
    assert not layer.is_adapted
    assert np.isnan(layer(ROWS)).sum() == 2
    layer.adapt(ROWS)
    assert layer.is_adapted


def test_constant_needs_no_adaptation():
    layer = Impute("constant", fill_value=7)
    np.testing.assert_array_equal(layer(np.array([[NAN, 1]], np.float32)), [[7, 1]])
    assert layer.is_adapted


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_feature_without_a_number_is_an_input_error(strategy):
    rows = np.array([[1, NAN], [2, NAN]], np.float32)
    with pytest.raises(
        InputError, match=r"`gaps` must find a number of each feature\. Received: 2 rows without one of "
    ):
        Impute(strategy, name="gaps").adapt(rows)


def test_unknown_strategy_is_an_input_error():
    with pytest.raises(InputError, match=r"`strategy` must be one of \('mean', .*\)\. Received: strategy='mode'\."):
        Impute("mode")


@pytest.fixture
def model():
    layer = Impute("median", name="gaps")
    layer.adapt(ROWS)
    inputs = tf.keras.Input((2,), name="input")
    return tf.keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_saved_model_has_its_values(suffix, model, tmp_path):
    if suffix == ".h5":
        model.save_weights(tmp_path / "model.h5")
        layer = Impute("median", name="gaps")
        inputs = tf.keras.Input((2,), name="input")
        loaded = tf.keras.Model(inputs, layer(inputs))
        loaded.load_weights(tmp_path / "model.h5")
    else:
        model.save(tmp_path / "model.keras")
        loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    layer = loaded.get_layer("gaps")
    assert (layer.strategy, layer.is_adapted) == ("median", True)
    np.testing.assert_array_equal(loaded.predict(ROWS, verbose=0), model.predict(ROWS, verbose=0))


def test_clone_has_the_values_of_the_weights(model):
    clone = tf.keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(ROWS, verbose=0), model.predict(ROWS, verbose=0))
    assert clone.trainable_weights == []

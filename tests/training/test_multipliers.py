"""Patterns of a config, matched with the weights of a model."""

from __future__ import annotations

import pytest

from trainkit.config import SettingError
from trainkit.errors import ConfigError
from trainkit.framework import tf
from trainkit.training.multipliers import check_multipliers, multipliers_of

keras = tf.keras


@pytest.fixture(scope="module")
def model():
    layers = [
        keras.layers.Conv2D(2, 3, name="backbone.conv1"),
        keras.layers.BatchNormalization(name="backbone.bn1"),
        keras.layers.Flatten(name="flat"),
        keras.layers.Dense(3, name="head"),
    ]
    return keras.Sequential([keras.Input((5, 5, 1)), *layers])


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ({"head": 3}, {"head/kernel:0": 3, "head/bias:0": 3}),
        ({"*/bias": 2}, {"backbone.conv1/bias:0": 2, "head/bias:0": 2}),
        ({"backbone.*/kernel": 0.5}, {"backbone.conv1/kernel:0": 0.5}),
        (
            {"backbone.*": 0.1, "*.bn1": 0, "*/bias": 2},
            {
                "backbone.conv1/kernel:0": 0.1,
                "backbone.conv1/bias:0": 2,
                "backbone.bn1/gamma:0": 0,
                "backbone.bn1/beta:0": 0,
                "head/bias:0": 2,
            },
        ),
        ({"*/bias": 2, "*": 1}, dict.fromkeys(("gamma", "beta"), 1)),
    ],
    ids=["layer", "weight", "both", "last-wins", "all"],
)
def test_last_pattern_that_matches_wins(patterns, expected, model):
    check_multipliers(model, patterns)
    found = multipliers_of(model, patterns)
    if "*" in patterns:
        assert set(found.values()) == {1}
        assert len(found) == 6
    else:
        assert found == expected


def test_frozen_layers_have_their_multipliers_for_when_they_thaw(model):
    frozen = keras.models.clone_model(model)
    frozen.trainable = False
    assert multipliers_of(frozen, {"head/bias": 2}) == {"head/bias:0": 2}


def test_wrapped_layers_go_by_the_name_of_the_layer():
    from trainkit.deploy.compress.masks import Mask
    from trainkit.deploy.compress.reparameterized import reparameterize

    inputs = keras.Input((3,))
    plain = keras.Model(inputs, keras.layers.Dense(2, name="head")(inputs))
    model = reparameterize(plain, lambda layer, place: Mask(place.variable) if place.attribute == "kernel" else None)
    wrapped = model.get_layer("head")
    found = multipliers_of(model, {"head/kernel": 0.5})
    assert [variable.name in found for variable in wrapped.layer.trainable_weights] == [True, False]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("haed", r"Did you mean 'head'\?"),
        ("flat", "matches no weight that learns"),
        ("head/kernl", r"there are backbone\.conv1/kernel, .*Did you mean 'head/kernel'\?"),
        ("*/moving_mean", "matches no weight that learns"),
    ],
)
def test_pattern_that_matches_nothing_is_refused(pattern, told, model):
    with pytest.raises(SettingError, match=told) as caught:
        check_multipliers(model, {"head": 1, pattern: 2})
    assert caught.value.path == ("training", "learning_rate_multipliers", pattern)


class Scale(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = tf.Variable(1.0)

    def call(self, x):
        return x * self.scale


def test_weights_that_cannot_be_told_apart_are_refused():
    model = keras.Sequential([keras.Input((3,)), Scale(name="one"), Scale(name="two")])
    check_multipliers(model, {"one": 2, "two": 2})
    with pytest.raises(
        SettingError, match=r"two variables of the name 'Variable:0' different rates.*'two'.*add_weight"
    ):
        check_multipliers(model, {"one": 2})


def test_config_multiplies_rates(prepared):
    result = prepared("training.learning_rate_multipliers={'*/bias': 2, answer/kernel: 0}")
    assert result.model.optimizer.multipliers == {"answer/kernel:0": 0, "answer/bias:0": 2}


def test_pattern_that_matches_nothing_is_told_with_its_place(prepared):
    with pytest.raises(ConfigError, match=r"training\.learning_rate_multipliers.*Did you mean 'answer/bias'"):
        prepared("training.learning_rate_multipliers={answer/bais: 2}")

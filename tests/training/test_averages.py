"""The averages of the weights: in place while a block lasts, and no trace of them after it."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.training.averages import averaged

keras = tf.keras


def trained(epochs=3, **arguments):
    """A model of one weight, 1 at the beginning, that gets 1 more in each update."""
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.build((None, 1))
    model.compile(keras.optimizers.SGD(1.0, **arguments), lambda _, answer: -answer)
    for _ in range(epochs):
        model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    return model


def test_weights_are_their_averages_and_then_what_they_were():
    model = trained(use_ema=True, ema_momentum=0.5)
    with averaged(model):
        # 1 before the first update, then half of it and half of each new weight: 2, 3, 4
        assert model.get_weights()[0] == ((1 / 2 + 2 / 2) / 2 + 3 / 2) / 2 + 4 / 2
    assert model.get_weights()[0] == 4


def test_training_goes_on_as_if_nothing_had_been():
    straight, looked = (trained(2, use_ema=True, ema_momentum=0.9) for _ in range(2))
    for model in (straight, looked, looked):
        with averaged(looked):
            looked.evaluate(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
        model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    straight.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    values = [[one.numpy() for one in (*model.optimizer.variables, *model.weights)] for model in (straight, looked)]
    for one, other in zip(*values, strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_are_put_back_after_an_error():
    model = trained(use_ema=True)

    def fail():
        with averaged(model):
            assert model.get_weights()[0] != 4
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert model.get_weights()[0] == 4


@pytest.mark.parametrize(
    "make",
    [
        lambda: trained(),
        lambda: trained(0, use_ema=True),
        lambda: keras.Sequential([keras.layers.Dense(1, use_bias=False)]),
    ],
    ids=["no averages", "no update", "not compiled"],
)
def test_weights_stay_where_there_are_no_averages(make):
    model = make()
    model.build((None, 1))
    before = model.get_weights()
    with averaged(model):
        np.testing.assert_array_equal(model.get_weights(), before)


def test_weights_that_are_frozen_later_stay():
    model = trained(use_ema=True)
    model.trainable = False
    with averaged(model):
        assert model.get_weights()[0] == 4

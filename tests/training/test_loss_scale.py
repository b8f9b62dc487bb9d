"""Scaled losses: what overflows is left out, counts as no update of several batches, and is undone after a trial."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.training.loss_scale import LossScaleOptimizer, is_stuck, loss_scaled, scale_variables
from trainkit.training.optimizer import extend
from trainkit.training.unchanged import unchanged

SGD = tf.keras.optimizers.SGD


def apply(optimizer, gradients):
    """A weight that begins at 0, after each gradient; the optimizer's scale leaves them as they are."""
    weight = tf.Variable(0.0)
    optimizer.build([weight])

    @tf.function
    def step(gradient):
        optimizer.apply_gradients([(gradient, weight)])

    for gradient in gradients:
        step(tf.constant(gradient))
        yield float(weight)


def test_a_batch_that_overflows_is_no_part_of_an_update():
    optimizer = LossScaleOptimizer(extend(SGD(1.0), gradient_accumulation_steps=2), initial_scale=8)
    assert list(apply(optimizer, [1.0, np.inf, 3.0, 5.0])) == [0, 0, -2, -2]  # the mean of 1 and 3
    assert int(optimizer.iterations) == 1
    assert float(optimizer.loss_scale) == 4


def test_an_optimizer_whose_scale_is_1_and_overflows_is_stuck():
    optimizer = LossScaleOptimizer(SGD(1.0), initial_scale=4)
    steps = apply(optimizer, [np.inf, np.inf, 1.0, np.nan])
    found = [(float(optimizer.loss_scale), is_stuck(optimizer)) for _ in steps]
    assert found == [(2, False), (1, True), (1, False), (1, True)]
    assert not is_stuck(SGD(1.0))


def test_an_optimizer_of_replicas_tells_whether_it_is_stuck():
    with tf.distribute.MirroredStrategy(["/CPU:0"]).scope():
        optimizer = LossScaleOptimizer(SGD(1.0), initial_scale=1)
        assert is_stuck(optimizer)
        scale_variables(optimizer)[1].assign_add(1)
    assert not is_stuck(optimizer)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_losses_are_scaled_for_float16_alone(policy):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, dtype=policy)])
    model.build((None, 2))
    optimizer = SGD(1.0)
    found = loss_scaled(optimizer, model)
    assert (found is optimizer) == (policy != "mixed_float16")
    assert [one.numpy() for one in scale_variables(found)] == ([2**15, 0] if policy == "mixed_float16" else [])


def test_trial_steps_leave_the_scale_as_it_was():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, dtype="mixed_float16")])
    model.build((None, 2))
    model.compile(loss_scaled(extend(SGD(1e-3), gradient_accumulation_steps=2), model), "mse", loss_weights=[1e4])
    model.optimizer.build(model.trainable_variables)
    x, y = np.ones((4, 2), "float32"), np.full((4, 1), 100, "float32")
    for _ in range(8):
        model.train_on_batch(x, y)
    before = [one.numpy() for one in [*scale_variables(model.optimizer), *model.optimizer.variables, *model.variables]]
    assert before[0] < 2**15
    with unchanged(model):
        for _ in range(8):
            model.train_on_batch(x, y)
        assert [one.numpy() for one in scale_variables(model.optimizer)] != before[:2]
    after = [one.numpy() for one in [*scale_variables(model.optimizer), *model.optimizer.variables, *model.variables]]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)

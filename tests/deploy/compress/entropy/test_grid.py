"""A weight that is computed as a learned step times integers."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress.entropy.grid import OnGrid
from trainkit.deploy.compress.entropy.rate import rate_of
from trainkit.framework import tf


@pytest.fixture
def weight():
    return tf.Variable(np.random.default_rng(1).normal(0, 0.1, (30, 20)).astype(np.float32))


def test_values_are_float32_products_of_step_and_integers(weight):
    grid = OnGrid(weight, price=0.0, ramp=1)
    step, values = grid.step.numpy(), grid(weight).numpy()
    integers = np.rint(weight.numpy() / step)
    assert 3 < np.abs(integers).max() < 20
    np.testing.assert_array_equal(values, step * integers.astype(np.float32))
    assert not np.signbit(values[values == 0]).any()


def test_step_begins_at_half_the_deviation(weight):
    assert float(OnGrid(weight, price=0.0, ramp=1).step) == pytest.approx(np.std(weight) / 2)


@pytest.mark.parametrize("value", [0.0, 1.0], ids=["zeros", "ones"])
def test_values_that_are_all_the_same_stay(value):
    weight = tf.Variable(tf.fill((8,), value))
    np.testing.assert_allclose(OnGrid(weight, price=0.0, ramp=1)(weight), value, rtol=1e-6)


def test_gradient_of_the_weight_is_that_of_its_rounded_values(weight):
    grid = OnGrid(weight, price=0.0, ramp=1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(grid(weight)))
    np.testing.assert_allclose(tape.gradient(loss, weight), 2 * grid(weight).numpy(), rtol=1e-5)


def test_gradient_of_the_step_is_that_of_lsq(weight):
    """Esser et al., equation 3: the rounded value less the value, both in steps; here of the step's logarithm."""
    grid = OnGrid(weight, price=0.0, ramp=1)
    upstream = np.random.default_rng(2).normal(size=weight.shape).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(upstream * grid(weight))
    scaled = weight.numpy() / grid.step.numpy()
    expected = grid.step.numpy() * np.sum(upstream * (np.rint(scaled) - scaled))
    assert float(tape.gradient(loss, grid.stretch)) == pytest.approx(expected, rel=1e-4)


def cost_of(grid):
    (cost,) = grid.losses
    return cost


def test_cost_is_the_price_of_all_bits(weight):
    grid = OnGrid(weight, price=1e-3, ramp=1)
    grid(weight, training=True)
    bits, _ = rate_of(weight / grid.step)
    assert float(cost_of(grid)) == pytest.approx(1e-3 * float(bits))


def test_cost_knows_what_is_next_to_each_value(weight):
    layout = (6, 5, 1, 20)
    grid = OnGrid(weight, price=1e-3, ramp=1, layout=layout)
    grid(weight, training=True)
    near, far = (float(rate_of(weight / grid.step, one)[0]) for one in (layout, None))
    assert float(cost_of(grid)) == pytest.approx(1e-3 * near)
    assert near != pytest.approx(far, rel=1e-3)


def test_cost_pulls_each_weight_to_zero_and_the_step_upwards(weight):
    grid = OnGrid(weight, price=1e-3, ramp=1)
    grid(weight, training=True)
    with tf.GradientTape() as tape:
        cost = cost_of(grid)
    of_weight, of_step = tape.gradient(cost, [weight, grid.stretch])
    scaled = weight / grid.step
    slopes = rate_of(scaled)[1]
    np.testing.assert_allclose(of_weight, 1e-3 * slopes * tf.sign(scaled) / grid.step, rtol=1e-5)
    assert float(of_step) == pytest.approx(-1e-3 * float(tf.reduce_sum(slopes * tf.abs(scaled))), rel=1e-4)


def test_bits_are_counted_anew_every_ten_steps(weight):
    grid = OnGrid(weight, price=1e-3, ramp=1)
    counted = []
    for _ in range(21):
        grid(weight, training=True)
        weight.assign(0.9 * weight)
        counted.append(float(grid.bits))
    assert len(set(counted[:10])) == len(set(counted[10:20])) == 1
    assert counted[0] > counted[10] > counted[20]


def test_price_grows_along_a_ramp(weight):
    grid = OnGrid(weight, price=1e-3, ramp=4)
    grown = []
    for _ in range(6):
        grid(weight, training=True)
        grown.append(float(cost_of(grid)))
    np.testing.assert_allclose(np.divide(grown, grown[-1]), [0.25, 0.5, 0.75, 1, 1, 1], rtol=1e-5)
    grid(weight, training=False)
    assert float(cost_of(grid)) == grown[-1]


def test_price_of_a_layer_that_stands_twice_grows_as_that_of_others(weight):
    once, twice = OnGrid(weight, price=1e-3, ramp=4), OnGrid(weight, price=1e-3, ramp=4, calls=2)
    for _ in range(3):
        once(weight, training=True)
        for _call in range(2):
            twice(weight, training=True)
        assert float(cost_of(twice)) == pytest.approx(float(cost_of(once)))


def test_zeros_stay_whatever_the_weight_becomes(weight):
    values = weight.numpy()
    values[::2] = 0
    weight.assign(values)
    grid = OnGrid(weight, price=0.0, ramp=1, keep_zeros=True)
    weight.assign_add(tf.ones_like(weight))
    found = grid(weight).numpy()
    assert (found[::2] == 0).all()
    assert (found[1::2] != 0).all()

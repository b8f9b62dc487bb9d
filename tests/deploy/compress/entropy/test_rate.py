"""What integers cost in a file, as training takes it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from trainkit.coding.integers import encode_integers, layout_of
from trainkit.deploy.compress.entropy.rate import rate_of
from trainkit.framework import tf


def even(size, every):
    """A matrix with as many ones in each row as in each column."""
    return (np.add.outer(np.arange(size), np.arange(size)) % every == 0).astype(np.float32)


def bits(values):
    return float(rate_of(tf.constant(values, tf.float32))[0])


def entropy(density):
    return -density * np.log2(density) - (1 - density) * np.log2(1 - density)


def test_bits_are_the_entropy_of_zeros_and_a_sign():
    values = even(200, 10)
    expected = values.size * entropy(0.1) + values.sum()
    assert bits(values) == pytest.approx(expected, rel=0.01)


def test_bits_of_sizes_are_those_of_a_geometric_distribution():
    random = np.random.default_rng(1)
    values = even(200, 10) * random.geometric(0.5, (200, 200))
    expected = values.size * entropy(0.1) + (values > 0).sum() * (1 + 2)
    assert bits(values) == pytest.approx(expected, rel=0.02)


def test_bits_count_what_is_rounded():
    random = np.random.default_rng(1)
    values = even(50, 5)
    assert bits(values + random.uniform(-0.4, 0.4, values.shape)) == pytest.approx(bits(values))


def test_rows_and_columns_that_are_all_zero_cost_little():
    block = np.zeros((200, 200), np.float32)
    block[:40, :60] = 1
    scattered = np.random.default_rng(1).permuted(block.reshape(-1)).reshape(block.shape)
    assert bits(block) < bits(scattered) / 2


@pytest.mark.parametrize("shape", [(), (10,), (1,), (3, 3, 8, 1), (5, 5, 4, 6), (4, 1), (7, 2, 3)], ids=str)
@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
def test_bits_and_slopes_are_finite(shape, value):
    found, slopes = rate_of(tf.fill(shape, tf.constant(value)), layout_of(shape))
    assert 0 <= float(found) < 20 * slopes.shape.num_elements() + 20
    assert slopes.shape == shape
    assert np.isfinite(slopes).all()
    assert (slopes.numpy() >= 0).all()


@pytest.mark.parametrize(
    "place, before, after", [((0, 1), 0.0, 1.0), ((0, 0), 1.0, 2.0), ((3, 5), 0.0, -1.0)], ids=["new", "more", "minus"]
)
def test_slope_is_what_the_next_integer_costs(place, before, after):
    random = np.random.default_rng(1)
    values = even(200, 10) * random.geometric(0.5, (200, 200)).astype(np.float32)
    values[place] = before
    changed = values.copy()
    changed[place] = after
    between = values.copy()
    between[place] += 0.3 * (after - before)
    slope = float(rate_of(between)[1][place])
    assert slope == pytest.approx(bits(changed) - bits(values), rel=0.05, abs=0.05)
    assert slope > 0.5


def test_a_value_costs_more_where_its_row_is_empty():
    values = np.random.default_rng(1).integers(0, 2, (60, 60)).astype(np.float32)
    values[7] = 0
    values[8, ::2] = 0
    slopes = rate_of(values)[1].numpy()
    assert slopes[7, 0] > slopes[8, 0] + 3


def test_a_value_is_not_paid_for_being_one_among_ones():
    assert rate_of(np.ones((9, 9), np.float32) - np.eye(9, dtype=np.float32))[1].numpy().min() == 0


@pytest.mark.parametrize("shape", [(784, 300), (32, 32, 64), (3000, 6000)], ids=str)
def test_weights_without_any_zero_have_a_finite_cost(shape):
    bits_of, slopes = rate_of(np.ones(shape, np.float32))
    assert np.isfinite(float(bits_of))
    assert np.isfinite(slopes.numpy()).all()


def neighbours(kernel):
    """How many of the eight values next to each one are not zero; shape `(height, width, units)`."""
    padded = np.pad(kernel != 0, ((1, 1), (1, 1), (0, 0)))
    return sliding_window_view(padded, (3, 3), (0, 1)).sum((3, 4)) - (kernel != 0)


@pytest.fixture
def patches():
    """A kernel of shape `(24, 24, 100)`, units behind images, whose values are 0 but in patches."""
    random = np.random.default_rng(1)
    smooth = random.normal(size=(24, 24, 100))
    smooth = sum(np.roll(smooth, (row, column), (0, 1)) for row in range(3) for column in range(3))
    return ((smooth > 5) * random.choice((-1.0, 1.0), smooth.shape)).astype(np.float32)


def bytes_of(kernel):
    """As a .tkz has them."""
    return len(encode_integers(kernel.astype(int)[:, :, None]))


def bits_and_slopes(kernel, *, near):
    height, width, units = kernel.shape
    found, slopes = rate_of(kernel.reshape(-1, units), (height, width, 1, units) if near else None)
    return float(found), slopes.numpy().reshape(kernel.shape)


def test_neighbours_in_an_image_save_bits_as_they_do_in_a_coder(patches):
    near, far = (bits_and_slopes(patches, near=one)[0] / 8 for one in (True, False))
    assert near == pytest.approx(bytes_of(patches), rel=0.15)
    assert near < 0.9 * far


def test_neighbours_say_nothing_where_all_are_independent():
    kernel = (np.random.default_rng(1).random((20, 20, 80)) < 0.05).astype(np.float32)
    near, far = (bits_and_slopes(kernel, near=one)[0] for one in (True, False))
    assert near == pytest.approx(far, rel=0.01)


def test_neighbours_say_nothing_in_a_weight_that_is_not_coded_value_by_value(patches, monkeypatch):
    monkeypatch.setattr("trainkit.coding.tensors.MOST_CODED", 100)
    near, far = (bits_and_slopes(patches, near=one)[0] for one in (True, False))
    assert near == far


def test_a_value_costs_less_beside_others_of_its_image(patches):
    counts, zeros = neighbours(patches), patches == 0
    (_, near), (_, far) = (bits_and_slopes(patches, near=one) for one in (True, False))
    saved = [(far - near)[zeros & (counts == count)].mean() for count in (0, 1, 3)]
    assert saved[0] < -0.3
    assert saved[0] < saved[1] < saved[2] - 1


def test_slope_of_a_lonely_value_is_what_it_costs_a_coder(patches):
    lonely = np.flatnonzero(neighbours(patches).reshape(-1) + np.abs(patches.reshape(-1)) == 0)
    lonely = np.random.default_rng(2).choice(lonely, 60, replace=False)
    changed = patches.copy()
    changed.reshape(-1)[lonely] = np.resize([1, -1], 60)
    costs = bytes_of(changed) - bytes_of(patches)
    near, far = (bits_and_slopes(patches, near=one)[1].reshape(-1)[lonely].sum() / 8 for one in (True, False))
    assert near == pytest.approx(costs, rel=0.15)
    assert far < 0.85 * costs


def test_a_weight_of_numbers_of_another_type_is_counted_as_exactly():
    values = even(200, 10).astype(np.float16)
    found, slopes = rate_of(tf.constant(values), (10, 20, 1, 200))
    expected, expected_slopes = rate_of(tf.constant(values, tf.float32), (10, 20, 1, 200))
    assert found.dtype == slopes.dtype == tf.float16
    assert float(found) == pytest.approx(float(expected), rel=1e-3)
    np.testing.assert_allclose(slopes, expected_slopes, rtol=1e-2, atol=1e-2)

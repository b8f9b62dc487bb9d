"""Tests of `trainkit.data.augment.keys`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.keys import sample_keys, splitmix64, symmetric_beta, uniform, uniform_between
from trainkit.framework import tf

MANY = 100_000
CHANCE = 4 / np.sqrt(MANY)  # four standard deviations of a correlation of independent numbers


def correlation(first, second):
    return abs(np.corrcoef(first, second)[0, 1])


def test_splitmix64_is_the_published_generator():
    # the numbers of the generator seeded with 1234567, as the reference implementation in C prints them
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    states = [(1234567 + step * 0x9E3779B97F4A7C15) % 2**64 for step in range(4)]
    assert splitmix64(tf.constant(states, tf.uint64)).numpy().tolist() == expected


def test_key_is_a_function_of_seed_epoch_index_and_salt(make_keys):
    keys = make_keys(1_000)
    assert (keys.dtype, keys.shape) == (tf.uint64, (1_000,))
    assert make_keys(indices=[999, 0, 7]).numpy().tolist() == keys.numpy()[[999, 0, 7]].tolist()


@pytest.mark.parametrize(
    "other",
    [{"seed": 4}, {"epoch": 1}, {"salt": 1}, {"seed": 0, "epoch": 3}, {"seed": 0, "salt": 3}, {"seed": -3}],
    ids=["seed", "epoch", "salt", "seed and epoch change places", "seed and salt change places", "negative seed"],
)
def test_keys_of_other_circumstances_have_nothing_in_common(make_keys, other):
    ours, theirs = make_keys(MANY), make_keys(MANY, **other)
    assert np.intersect1d(ours, theirs).size == 0
    assert correlation(uniform(ours, 1)[:, 0], uniform(theirs, 1)[:, 0]) < CHANCE


@pytest.mark.parametrize("seed", [2**31, 2**63, 2**64 - 1], ids=["32 bits", "64 bits", "largest"])
def test_large_seed_and_index_are_taken(seed):
    keys = sample_keys(seed, 2**40, tf.constant([0, 2**62], tf.int64), salt=2)
    assert len(set(keys.numpy().tolist())) == 2


def test_numbers_are_the_same_in_a_graph(make_keys):
    indices = tf.range(100, dtype=tf.int64)
    keys = tf.function(lambda epoch: sample_keys(3, epoch, indices, salt=0))(tf.constant(2, tf.int64))
    np.testing.assert_array_equal(keys, make_keys(100, epoch=2))
    np.testing.assert_array_equal(tf.function(lambda: uniform(keys, 3))(), uniform(keys, 3))
    np.testing.assert_array_equal(tf.function(lambda: symmetric_beta(keys, 0.4))(), symmetric_beta(keys, 0.4))


@pytest.mark.parametrize("bit", [0, 1, 5, 31, 62])
def test_one_bit_of_the_index_changes_half_of_the_key(make_keys, bit):
    indices = np.arange(10_000)
    changed = np.bitwise_xor(make_keys(indices=indices).numpy(), make_keys(indices=indices ^ (1 << bit)).numpy())
    flips = np.unpackbits(changed.view(np.uint8).reshape(-1, 8), axis=1).mean(0)  # for each bit of the key
    assert 0.46 < flips.min() < flips.max() < 0.54  # expected 0.5 with standard deviation 0.007


@pytest.mark.parametrize("distance", [1, 2, 3, 64, 128])
def test_neighbours_are_uncorrelated(make_keys, distance):
    numbers = uniform(make_keys(MANY), 1)[:, 0].numpy()
    assert correlation(numbers[:-distance], numbers[distance:]) < CHANCE


def test_epochs_are_uncorrelated(make_keys):
    epochs = [uniform(make_keys(MANY, epoch=epoch), 1)[:, 0].numpy() for epoch in range(3)]
    assert max(correlation(epochs[0], epochs[1]), correlation(epochs[1], epochs[2])) < CHANCE


def test_columns_are_uncorrelated(make_keys):
    correlations = np.corrcoef(uniform(make_keys(MANY), 4).numpy().T) - np.eye(4)
    assert abs(correlations).max() < CHANCE


def test_uniform_numbers_are_uniform(make_keys):
    numbers = uniform(make_keys(MANY), 2).numpy()
    assert (numbers.dtype, numbers.shape) == (np.float32, (MANY, 2))
    assert 0 <= numbers.min() < 1e-4
    assert 1 - 1e-4 < numbers.max() < 1
    shares = np.apply_along_axis(lambda column: np.histogram(column, 50, (0, 1))[0], 0, numbers) / MANY
    assert abs(shares - 0.02).max() < 4 * np.sqrt(0.02 * 0.98 / MANY)


def test_uniform_asked_for_more_begins_with_the_same(make_keys):
    np.testing.assert_array_equal(uniform(make_keys(10), 3)[:, :1], uniform(make_keys(10), 1))


def test_uniform_between_fills_its_bounds(make_keys):
    wide, fixed = uniform_between(make_keys(MANY), (-0.5, 1.5), (0.25, 0.25))
    assert (wide.numpy() >= -0.5).all()
    assert (wide.numpy() <= 1.5).all()
    assert np.ptp(wide.numpy()) > 1.99
    assert set(fixed.numpy()) == {0.25}


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0, 2.0, 8.0])
@pytest.mark.parametrize("point", [0.05, 0.3, 0.5, 0.9])
def test_symmetric_beta_has_the_shares_of_the_distribution(make_keys, alpha, point):
    share = (symmetric_beta(make_keys(MANY), alpha).numpy() < point).mean()
    assert abs(share - tf.math.betainc(alpha, alpha, point).numpy()) < 4 * np.sqrt(0.25 / MANY)


@pytest.mark.parametrize("alpha", [0.01, 0.2, 0.5, 1.0, 2.0, 8.0, 100.0])
def test_symmetric_beta_has_the_moments_of_the_distribution(make_keys, alpha):
    numbers = symmetric_beta(make_keys(MANY), alpha).numpy().astype(np.float64)
    variance = 1 / (4 * (2 * alpha + 1))
    assert abs(numbers.mean() - 0.5) < 4 * np.sqrt(variance / MANY)
    assert numbers.var() == pytest.approx(variance, rel=0.02)


@pytest.mark.parametrize("alpha", [1e-300, 1e-6, 1e6, 1e300], ids=str)
def test_symmetric_beta_stays_finite(make_keys, alpha):
    numbers = symmetric_beta(make_keys(MANY), alpha).numpy()
    assert numbers.dtype == np.float32
    assert 0 <= numbers.min() <= numbers.max() <= 1  # false for NaN too


def test_symmetric_beta_is_independent_of_uniform(make_keys):
    beta, columns = symmetric_beta(make_keys(MANY), 1.0).numpy(), uniform(make_keys(MANY), 4).numpy().T
    assert max(correlation(beta, column) for column in columns) < CHANCE
    assert max(correlation(abs(beta - 0.5), column) for column in columns) < CHANCE

"""The watch over variables."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.training.finite import Finding, all_finite, first_non_finite


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_all_finite_sees_one_bad_number(dtype, bad):
    good, last = tf.Variable(tf.ones([3, 5], dtype)), tf.Variable(tf.ones([2, 2], dtype))
    assert all_finite([good, last]) is True
    last[1, 0].assign(tf.cast(bad, dtype))
    assert all_finite([good, last]) is False


def test_all_finite_passes_over_what_is_no_number():
    assert all_finite([tf.Variable(["a"]), tf.Variable(3), tf.Variable(True), tf.Variable(1.0)])
    assert all_finite([tf.Variable(["a"])])
    assert all_finite([])


def test_all_finite_lets_huge_numbers_pass():
    assert all_finite([tf.Variable([1e30, -3e38])])
    assert not all_finite([tf.Variable([1e30, np.nan])])


def test_all_finite_sees_a_variable_that_changes_after_the_first_look():
    variables = [tf.Variable([1.0, 2.0]), tf.Variable(1)]
    assert all_finite(variables)
    variables[0].assign([1.0, np.nan])
    assert not all_finite(variables)
    assert all_finite([tf.Variable([1.0, 2.0]), tf.Variable(1)])


def test_first_non_finite_names_and_counts():
    values = np.ones((2, 3), np.float32)
    good, bad = tf.Variable(values, name="a/kernel"), tf.Variable(values, name="b.c/kernel")
    bad.assign(np.float32([[1, np.nan, np.inf], [1, 1, -np.inf]]))
    assert first_non_finite([good]) is None
    assert first_non_finite([good, bad]) == Finding("weight", "b.c/kernel", "NaN and Inf", 3, 6)


def test_finding_shows_the_first_samples():
    found = Finding("input", "x", "NaN", 7, 700, tuple(range(3, 10)), "mend it.")
    assert (
        str(found)
        == "the input `x` has NaN (7 of 700 numbers) in samples 3, 4, 5, 6, 7 and 2 more of the batch: mend it."
    )
    assert str(Finding("loss", "y", "Inf", 1, 1)) == "the loss of `y` is Inf"

"""Tests of `trainkit.data.augment.arguments`; the messages are tested with the augmentations."""

from __future__ import annotations

import pytest

from trainkit.data.augment.arguments import as_pair, factor_bounds, is_number


@pytest.mark.parametrize("value", [0, -2, 0.5, 1e300])
def test_numbers_are_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [True, "1", None, [1], float("nan"), float("inf")], ids=repr)
def test_other_things_are_not(value):
    assert not is_number(value)


@pytest.mark.parametrize("value", [[1, 2], (1.0, 2.0)], ids=["list", "tuple"])
def test_pair_is_two_numbers(value):
    assert as_pair(value) == (1.0, 2.0)


@pytest.mark.parametrize("value, expected", [(0, (0, 0)), (0.5, (-0.5, 0.5)), ([-1, 0.5], (-1, 0.5)), ([1, 1], (1, 1))])
def test_bounds_of_a_factor(value, expected):
    assert factor_bounds("factor", value, least=-1, most=1) == expected

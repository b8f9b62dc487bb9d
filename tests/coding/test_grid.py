"""Steps of which real numbers are multiples."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.coding.grid import find_grid

STEPS = [0.1, 0.0731, 1 / 3, 7e-4, 123.456]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("step", STEPS)
def test_find_grid_finds_step_and_integers(step, dtype):
    integers = np.random.default_rng(0).integers(-20, 21, (40, 30))
    values = np.array(integers, dtype) * np.dtype(dtype).type(step)
    found, numbers = find_grid(values)
    assert found.dtype == values.dtype
    assert (numbers.astype(dtype) * found).tobytes() == (values + 0).tobytes()
    assert np.array_equal(numbers, integers)


@pytest.mark.parametrize(
    "integers", [[0, 3, -2, 7], [3, 5], [0, 0, -9], [6, 10, 15], [130, 201, 317], [499, 503, 709]], ids=str
)
def test_find_grid_needs_no_one_among_the_integers(integers):
    values = np.array(integers, np.float32) * np.float32(0.0617)
    step, numbers = find_grid(values)
    assert np.array_equal(numbers.astype(np.float32) * step, values)
    assert np.abs(numbers).max() <= max(map(abs, integers))


@pytest.mark.parametrize(
    "values",
    [np.zeros(5), np.random.default_rng(0).normal(size=100), [1e-20, 1.0], [np.nan, 1.0], [np.inf, 1.0], [1.0, -0.0]],
    ids=["zeros", "any", "far apart", "nan", "inf", "negative zero"],
)
def test_find_grid_finds_none_where_there_is_none(values):
    assert find_grid(np.array(values, np.float32)) is None

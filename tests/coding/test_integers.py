"""Signed integers of any shape."""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainkit.coding import LARGEST, DamagedError, decode_integers, encode_integers

SHAPES = [(), (0,), (1,), (7,), (3, 0, 2), (1, 1), (60, 40), (5, 5, 1, 20), (3, 3, 8, 1), (7, 4, 6), (2, 3, 2, 4, 5)]


def laplacian(shape, scale=0.4, seed=0):
    return np.rint(np.random.default_rng(seed).laplace(0, scale, shape)).astype(np.int64)


def sparse(shape, seed=0):
    """Rows and columns of very different density."""
    draw = np.random.default_rng(seed)
    density = 0.02 * np.exp(draw.normal(0, 1, (shape[0], 1)) + draw.normal(0, 1, (1, shape[1])))
    return (draw.random(shape) < density) * draw.geometric(0.6, shape) * draw.choice([-1, 1], shape)


def entropy_bytes(values):
    shares = np.unique(values, return_counts=True)[1] / values.size
    return -(shares * np.log2(shares)).sum() * values.size / 8


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_integers_come_back(shape):
    values = laplacian(shape)
    found = decode_integers(encode_integers(values), shape)
    assert found.shape == shape
    assert np.array_equal(found, values)


@settings(max_examples=50, deadline=None)
@given(
    arrays.arrays(
        np.int64,
        arrays.array_shapes(max_dims=4, max_side=6),
        elements=st.one_of(st.integers(-2, 2), st.integers(-LARGEST, LARGEST)),
    )
)
def test_any_integers_come_back(values):
    assert np.array_equal(decode_integers(encode_integers(values), values.shape), values)


def test_integers_that_are_too_large_are_refused():
    with pytest.raises(ValueError, match="values must be between"):
        encode_integers(np.array([LARGEST + 1]))


def test_a_geometry_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a geometry must have as many places"):
        encode_integers(laplacian((30, 5)), geometry=(3, 3, 3))


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_integers_or_refused(content):
    with contextlib.suppress(DamagedError):
        assert decode_integers(content, (5, 6)).shape == (5, 6)


def test_bytes_that_no_integer_came_from_are_refused():
    content = encode_integers(laplacian((5, 6)))
    with pytest.raises(DamagedError, match="goes on behind its end"):
        decode_integers(content + bytes(range(50)), (5, 6))


def test_few_bytes_are_not_read_for_long():
    with pytest.raises(DamagedError, match="ends too early"):
        decode_integers(b"", (2000, 4000))


def test_integers_without_pattern_cost_their_entropy():
    values = laplacian((300, 100), 0.25)
    assert len(encode_integers(values)) < 1.03 * entropy_bytes(values)


def test_rows_and_columns_of_other_density_cost_less_than_the_entropy():
    values = sparse((300, 100))
    content = values.astype(np.int8).tobytes()
    coded = len(encode_integers(values))
    assert coded < 0.94 * entropy_bytes(values)
    assert coded < 0.7 * min(len(zlib.compress(content, 9)), len(lzma.compress(content)))


def test_units_and_inputs_of_zeros_cost_next_to_nothing():
    values = np.zeros((800, 500), np.int64)
    assert len(encode_integers(values)) < 20
    values[:40, :10] = laplacian((40, 10), 2.0)
    assert len(encode_integers(values)) < entropy_bytes(values[:40, :10]) + 60


def test_a_geometry_makes_an_image_of_the_inputs():
    rows, columns = np.mgrid[:28, :28]
    near = np.stack([np.hypot(rows - 3 - one, columns - 24 + one) < 4 for one in range(20)], axis=-1)
    values = near.reshape(784, 20) * np.random.default_rng(0).choice([1, 2], (784, 20))
    assert len(encode_integers(values, geometry=(28, 28, 1))) < 0.75 * len(encode_integers(values))


def test_the_format_stays_what_it_is():
    draw = np.arange(3 * 3 * 4 * 6, dtype=np.int64) * 2654435761 % 2**32 >> 8
    values = ((draw % 7 == 0) * (draw % 5 - 2)).reshape(3, 3, 4, 6)
    assert hashlib.sha256(encode_integers(values)).hexdigest()[:16] == "ae16ad599c565d00"

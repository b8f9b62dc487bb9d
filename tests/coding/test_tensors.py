"""Arrays as bytes."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainkit.coding.content import DamagedError, Reader, write_number
from trainkit.coding.tensors import DTYPES, MOST_CODED, read_tensor, write_tensor

DRAW = np.random.default_rng(0)
SHAPE = (60, 20)
SPARSE = DRAW.integers(-3, 4, SHAPE) * (DRAW.random(SHAPE) < 0.1)
NOISE = DRAW.normal(size=SHAPE).astype(np.float32)
ARRAYS = {  # and the most bytes that each should take
    "grid": (SPARSE.astype(np.float32) * np.float32(0.0731), 150),
    "codebook": (NOISE.ravel()[:7][SPARSE], 180),
    "codebook of float64": (NOISE.ravel()[:7].astype(np.float64)[SPARSE], 210),
    "constant": (np.full(SHAPE, 0.1, np.float32), 16),
    "zeros": (np.zeros(SHAPE, np.float32), 16),
    "any": (NOISE, 4 * NOISE.size),
    "integers": (SPARSE.astype(np.int64), 200),
    "bool": (SPARSE != 0, 110),
    "scalar": (np.array(3, np.int64), 16),
    "none": (np.zeros((0, 5), np.float32), 8),
    "not finite": (np.array([np.nan, np.inf, -np.inf, -0.0, 0.0], np.float32), 28),
    "negative zeros": (NOISE[:, :2] * (NOISE[:, 2:4] > 1), 480),
    "big-endian": (SPARSE.astype(">f4") * np.float32(0.5), 150),
}


def same(one, other):
    native = one.astype(one.dtype.newbyteorder("="))
    return (native.shape, native.dtype, native.tobytes()) == (other.shape, other.dtype, other.tobytes())


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back_bit_for_bit_in_few_bytes(name):
    values, most = ARRAYS[name]
    content = write_tensor(values)
    assert same(values, read_tensor(Reader(content), values.size))
    assert len(content) <= most + 12


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(DTYPES).flatmap(lambda one: arrays.arrays(one, arrays.array_shapes(min_dims=0, max_side=5))))
def test_any_array_comes_back_bit_for_bit(values):
    assert same(values, read_tensor(Reader(write_tensor(values)), values.size))


def test_integers_of_a_large_array_come_back(monkeypatch):
    monkeypatch.setattr("trainkit.coding.tensors.MOST_CODED", 100)
    assert MOST_CODED > 100
    values, _ = ARRAYS["grid"]
    assert same(values, read_tensor(Reader(write_tensor(values)), values.size))


def test_a_dtype_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="complex64 values of 1 axes cannot be written"):
        write_tensor(np.zeros(3, np.complex64))


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_larger_than_what_is_left_is_refused_before_there_is_room_for_it(name):
    values, _ = ARRAYS[name]
    if values.size:
        with pytest.raises(DamagedError, match="has an array of"):
            read_tensor(Reader(write_tensor(values)), values.size - 1)


@pytest.mark.parametrize("name", ARRAYS)
def test_a_cut_array_is_refused_or_another(name):
    content = write_tensor(ARRAYS[name][0])
    for size in range(0, len(content), max(1, len(content) // 20)):
        with pytest.raises(DamagedError):
            read_tensor(Reader(content[:size]), 10_000)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(ARRAYS)), st.data())
def test_a_changed_array_is_refused_or_another(name, data):
    content = bytearray(write_tensor(ARRAYS[name][0]))
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DamagedError):
        assert read_tensor(Reader(bytes(content)), 10_000).size <= 10_000


def test_a_grid_of_an_array_that_is_not_coded_holds_every_integer_bit_for_bit(monkeypatch):
    monkeypatch.setattr("trainkit.coding.tensors.MOST_CODED", 10)
    values = np.float32(0.3) * np.tile(np.array([1, 32767, 32768, -32768, -3], np.float32), 20)
    assert read_tensor(Reader(write_tensor(values)), values.size).tobytes() == values.tobytes()


def test_a_codebook_holds_numbers_that_are_none_bit_for_bit():
    values = np.tile(np.array([0xFFC00000, 0x3F9D70A4, 0x7FC00001], np.uint32), 64).view(np.float32)
    assert read_tensor(Reader(write_tensor(values)), values.size).tobytes() == values.tobytes()


def test_an_empty_array_of_huge_axes_is_refused():
    head, axes = write_tensor(np.zeros((0, 2, 2, 2), np.float32))[0], [0, 2**28, 2**28, 2**28]
    content = bytes([head]) + b"".join(map(write_number, [4, *axes, 0]))
    with pytest.raises(DamagedError, match="has an array of 0 values where"):
        read_tensor(Reader(content), 10)


def test_a_kernel_of_many_inputs_takes_little_room_to_read():
    values = np.zeros((2**20, 1), np.float32)
    values[::1000] = 0.5
    tracemalloc.start()
    content = write_tensor(values)
    assert read_tensor(Reader(content), values.size).tobytes() == values.tobytes()
    assert tracemalloc.get_traced_memory()[1] < 100 * values.nbytes
    tracemalloc.stop()

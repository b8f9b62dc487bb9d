"""Tests of `trainkit.data.fingerprint`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data import ArrayColumn, Field, Split, Splits, fingerprint

INPUTS = np.arange(12, dtype=np.uint8).reshape(3, 4)


def split_of(inputs=INPUTS, labels=(0, 1, 0), classes=("a", "b"), *, weights=None, **field):
    image = ArrayColumn(np.asarray(inputs), origin="rows").with_field(**field)
    target = ArrayColumn(np.asarray(labels, np.int32), Field((), "int32", classes))
    weigh = None if weights is None else {"digit": ArrayColumn(np.asarray(weights, np.float32))}
    return Split({"input": image}, {"digit": target}, weigh)


def changed_pixel():
    inputs = INPUTS.copy()
    inputs[2, 3] += 1
    return inputs


def test_same_data_has_the_same_fingerprint():
    first = fingerprint(Splits(split_of()))
    assert first == fingerprint(Splits(split_of(INPUTS.copy())))
    assert len(first) == 64


def test_subset_has_the_fingerprint_of_its_samples():
    part = split_of().subset(np.array([0, 2]))
    assert fingerprint(Splits(part)) == fingerprint(Splits(split_of(INPUTS[[0, 2]], (0, 0))))


def test_samples_in_steps_of_memory_are_read_right():
    wide = np.repeat(INPUTS, 2, axis=1)
    assert fingerprint(Splits(split_of(wide[:, ::2]))) == fingerprint(Splits(split_of()))


def test_place_and_notes_do_not_count():
    moved = split_of().subset(np.arange(3))
    assert fingerprint(Splits(moved, notes=("3 samples were left out",))) == fingerprint(Splits(split_of()))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: Splits(split_of(changed_pixel())), id="pixel"),
        pytest.param(lambda: Splits(split_of(labels=(0, 1, 1))), id="label"),
        pytest.param(lambda: Splits(split_of(classes=("b", "a"))), id="classes"),
        pytest.param(lambda: Splits(split_of(classes=None)), id="no classes"),
        pytest.param(lambda: Splits(split_of(INPUTS.astype(np.int8))), id="dtype"),
        pytest.param(lambda: Splits(split_of(dtype="int32")), id="dtype of batches"),
        pytest.param(lambda: Splits(split_of(columns=("a", "b", "c", "d"))), id="columns"),
        pytest.param(lambda: Splits(split_of(INPUTS.reshape(3, 2, 2))), id="shape"),
        pytest.param(lambda: Splits(split_of(weights=(1, 1, 1))), id="weights"),
        pytest.param(lambda: Splits(split_of().subset(np.array([2, 1, 0]))), id="order"),
        pytest.param(lambda: Splits(split_of().subset(np.array([0, 1]))), id="size"),
        pytest.param(lambda: Splits(split_of(), test=split_of()), id="another split"),
    ],
)
def test_other_data_has_another_fingerprint(other):
    assert fingerprint(other()) != fingerprint(Splits(split_of()))


def test_other_weights_are_another_fingerprint():
    first, second = split_of(weights=(1, 1, 1)), split_of(weights=(1, 2, 1))
    assert fingerprint(Splits(first)) != fingerprint(Splits(second))


def test_role_of_a_split_counts():
    first, second = split_of(), split_of(changed_pixel())
    assert fingerprint(Splits(first, validation=second)) != fingerprint(Splits(first, test=second))

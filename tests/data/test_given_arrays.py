"""What a source of one's own gives."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.given_arrays import as_source
from trainkit.errors import DataError

X, Y = np.zeros((4, 3)), np.array([0, 1, 1, 0])


def test_as_source_takes_arrays_by_name():
    source = as_source({"x": X, "y": Y})
    assert (source.train.size, source.train.target, source.validation, source.test) == (4, "y", None, None)
    assert source.train.columns["x"].array.dtype == np.float32
    assert source.train.columns["y"].field.classes == ("0", "1")


def test_as_source_takes_parts():
    source = as_source({"train": {"x": X, "y": Y}, "test": {"x": X[:2], "y": Y[:2]}})
    assert (source.train.size, source.test.size) == (4, 2)


def test_as_source_takes_what_sources_return():
    source = as_source({"x": X, "y": Y})
    assert as_source(source) is source


def test_as_source_takes_sequences_of_several_lengths():
    source = as_source({"x": np.zeros((6, 3)), "x_lengths": np.array([1, 2, 3]), "y": Y[:3]})
    assert (source.train.size, source.train.target) == (3, "y")
    assert source.train.columns["x"].field.shape == (None, 3)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "a source must give arrays by name.*Received: None"),
        ({}, "a source must give arrays by name"),
        ({"test": {"x": X}}, "Received: no 'train'"),
        ({"train": {"x": X}, "tset": {"x": X}}, "Received: 'tset'"),
        ({"train": {"x": X}, "test": {"z": X}}, "every part must have the arrays of 'train'"),
        ({"x": 3.0}, r"the array 'x' must have a first axis of samples. Received: the shape \(\)"),
        ({"x": X, "y": Y[:3]}, "length|as many"),
    ],
    ids=["nothing", "empty", "no-train", "misspelled", "other-arrays", "number", "lengths"],
)
def test_as_source_refuses_all_else(given, told):
    with pytest.raises(DataError, match=told):
        as_source(given)

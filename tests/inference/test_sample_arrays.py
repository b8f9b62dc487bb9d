"""Tests of `trainkit.inference.sample_arrays`, by what `predict` reads."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data import Description, InputDescription
from trainkit.errors import DataError, InputError
from trainkit.inference import samples
from trainkit.inference.samples import read_samples

STEPS = np.arange(1, 7, dtype=np.uint8)
SPEECH = Description({"input": InputDescription((None, 1), "float32", ("x",), padding=-1.0)}, {})


@pytest.fixture
def read(tmp_path):
    """Write arrays and read them as `predict` does; a list of batches."""

    def call(description=SPEECH, **arrays):
        np.savez(tmp_path / "new.npz", **arrays)
        return list(read_samples(description, [tmp_path / "new.npz"]))

    return call


@pytest.mark.parametrize("name", ["input", "x"])
def test_sequences_are_read_by_the_name_of_the_input_or_its_column(read, name):
    (batch,) = read(**{name: STEPS, f"{name}_lengths": [2, 3, 1]})
    assert batch.names == ["new.npz, row 0", "new.npz, row 1", "new.npz, row 2"]
    assert batch.inputs["input"][..., 0].tolist() == [[1, 2, -1], [3, 4, 5], [6, -1, -1]]


def test_each_batch_is_as_long_as_its_longest_sample(read, monkeypatch):
    monkeypatch.setattr(samples, "BATCH_SIZE", 2)
    assert [batch.inputs["input"].shape for batch in read(x=STEPS, x_lengths=[1, 2, 3])] == [(2, 2, 1), (1, 3, 1)]


def test_samples_of_one_length_need_no_lengths(read):
    (batch,) = read(x=STEPS.reshape(2, 3, 1))
    assert batch.inputs["input"].tolist() == STEPS.reshape(2, 3, 1).tolist()


def test_sequences_that_cannot_be_used_are_told(read):
    (batch,) = read(x=np.array([1.0, np.nan, 3.0]), x_lengths=[1, 0, 2])
    assert batch.inputs["input"].tolist() == [[[1.0]]]
    assert batch.unreadable == {
        "new.npz, row 1": "'input' must have at least one step. Received: none.",
        "new.npz, row 2": "'input' step 0 must be a finite number. Received: nan.",
    }


def test_lengths_that_do_not_count_the_steps_are_refused(read):
    with pytest.raises(DataError, match=r"x_lengths must be, in sum, the steps of .*new\.npz, x, .* 5 for 6 steps"):
        read(x=STEPS, x_lengths=[2, 3])


def test_array_of_one_of_several_columns_is_not_the_input(read):
    table = Description({"input": InputDescription((2,), "float32", ("x", "y"))}, {})
    with pytest.raises(InputError, match=r"must hold the arrays input\. Received: x, y: no 'input'"):
        read(table, x=STEPS, y=STEPS)


def test_what_a_model_of_sequences_takes_is_told(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(InputError, match=r"the model takes a \.npz file with the arrays input, input_lengths\."):
        list(read_samples(SPEECH, [tmp_path / "a.png"]))

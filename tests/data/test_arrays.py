"""Tests of `trainkit.data.arrays`; what holds for every split is in sources/test_conformance.py."""

from __future__ import annotations

import subprocess
import sys
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest

from trainkit.data import ArraySplit, Facts
from trainkit.errors import DataError, InputError


def seen(dataset, count):
    """The first pixel of the samples in the first `count` batches."""
    return [inputs["input"][:, 0, 0, 0].numpy().astype(int).tolist() for inputs, _, _ in islice(dataset, count)]


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_inputs_keep_their_dtype_and_are_cast_in_the_batch(make_split):
    split = make_split([0, 1, 2], dtype=np.uint8)
    ((inputs, _, _),) = split.ordered(3)
    assert split.arrays["input"].dtype == np.uint8
    assert inputs["input"].dtype == "float32"


def test_labels_become_int32(make_split):
    assert make_split(np.array([0, 1], np.uint8)).labels().dtype == np.int32


def test_arrays_of_the_whole_split_are_not_copied():
    inputs = np.zeros((3, 4), np.float32)
    split = ArraySplit(inputs, np.zeros(3, np.uint8), Facts((4,)), "rows.gz")
    assert split.arrays["input"] is inputs


def test_subset_of_a_subset_counts_from_the_subset(make_split):
    part = make_split(range(10)).subset(np.array([9, 7, 5, 3])).subset(np.array([3, 0]))
    assert part.labels().tolist() == [3, 9]
    assert part.arrays["input"][:, 0, 0, 0].tolist() == [3, 9]
    assert part.original(0) == "images.gz, image 3"
    assert seen(part.ordered(2), 1) == [[3, 9]]


def test_subset_leaves_its_parent_alone(make_split):
    split = make_split(range(4))
    split.subset(np.array([2]))
    assert split.size == 4
    assert seen(split.ordered(4), 2) == [[0, 1, 2, 3]]


def test_subset_out_of_range_is_an_error(make_split):
    with pytest.raises(IndexError, match="index 4 is out of bounds"):
        make_split(range(4)).subset(np.array([4]))


def test_original_calls_a_function():
    split = ArraySplit(np.zeros((2, 3)), np.zeros(2, int), Facts((3,)), lambda row: f"table.csv:{row + 2}")
    assert split.original(1) == "table.csv:3"


def test_original_of_features_is_a_row():
    split = ArraySplit(np.zeros((2, 3)), np.zeros(2, int), Facts((3,)), "features")
    assert split.original(1) == "features, row 1"


def test_epochs_follow_each_other_without_end(make_split):
    batches = seen(make_split(range(5)).batches(2, seed=7), 30)
    epochs = [list(chain(*batches[start : start + 3])) for start in range(0, 30, 3)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 5


def test_batches_know_that_they_are_endless(make_split):
    assert make_split(range(5)).batches(2, seed=7).cardinality() == -1  # tf.data.INFINITE_CARDINALITY


def test_batch_larger_than_the_split_is_the_split(make_split):
    assert [sorted(batch) for batch in seen(make_split(range(3)).batches(8, seed=7), 2)] == [[0, 1, 2]] * 2


def test_large_seed_is_no_other_than_itself(make_split):
    split = make_split(range(50))
    assert seen(split.batches(50, seed=2**31 - 1), 1) == seen(split.batches(50, seed=2**31 - 1), 1)
    assert seen(split.batches(50, seed=2**31 - 1), 1) != seen(split.batches(50, seed=2**31 - 2), 1)


def test_datasets_and_subsets_share_one_tensor():
    inputs = np.ones((20_000, 1_000), np.uint8)  # 20 MB
    split = ArraySplit(inputs, np.zeros(20_000, int), Facts((1_000,)), "rows")
    next(iter(split.batches(8, seed=0)))
    before = resident_bytes()
    parts = [split.subset(np.arange(start, 20_000)) for start in range(10)]
    alive = [iter(part.batches(8, seed=seed)) for seed, part in enumerate(parts)]
    for iterator in alive:
        next(iterator)
    assert resident_bytes() - before < 100e6  # copies would take 200 MB


@pytest.mark.parametrize("call", [lambda s: s.ordered(0), lambda s: s.batches(0, seed=0)], ids=["ordered", "batches"])
def test_batch_size_zero_is_refused(make_split, call):
    with pytest.raises(InputError, match=r"`batch_size` must be at least 1\. Received: batch_size=0\."):
        call(make_split([0, 1]))


def test_targets_of_another_length_are_refused():
    with pytest.raises(DataError, match="Received: 3 inputs and 2 targets"):
        ArraySplit(np.zeros((3, 2)), np.zeros(2, int), Facts((2,)), "rows")


def test_empty_split_is_refused():
    with pytest.raises(DataError, match="must hold at least one sample"):
        ArraySplit(np.zeros((0, 2)), np.zeros(0, int), Facts((2,)), "rows")


def test_empty_subset_is_refused(make_split):
    with pytest.raises(DataError, match="must hold at least one sample"):
        make_split([0, 1]).subset(np.array([], int))


def test_data_is_read_and_split_without_tensorflow():
    program = (
        "import sys; from trainkit.data import SOURCES, fingerprint, load_data;"
        "fingerprint(load_data(SOURCES.get('Sample'), fraction=0.1, seed=0)); sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

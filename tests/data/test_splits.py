"""Tests of `trainkit.data.splits`, and so of `trainkit.data.batching`: in memory, and read for each batch."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainkit.data import ArrayColumn, Facts, Field, Split
from trainkit.data.images import ImageFiles, ImageSpec
from trainkit.errors import DataError, InputError
from trainkit.framework import tf

SIZE = 21
BATCH = 6  # makes four batches an epoch, the last one smaller


def in_memory(folder):
    return ArrayColumn(np.arange(SIZE, dtype=np.uint8).reshape(SIZE, 1, 1, 1), origin="images.gz")


def in_files(folder):
    for value in range(SIZE):
        Image.fromarray(np.array([[value]], np.uint8)).save(folder / f"{value}.png")
    files = ImageFiles([folder / f"{value}.png" for value in range(SIZE)], folder)
    return files.read(ImageSpec(1, 1, 1), budget=0)


@pytest.fixture(params=[in_memory, in_files], ids=["in memory", "in files"])
def split(request, tmp_path):
    """Sample `i` is an image of value `i` and of class `i % 3`, and weighs `i / 10`."""
    labels = ArrayColumn((np.arange(SIZE) % 3).astype(np.int32), Field((), "int32", ("a", "b", "c")))
    weights = ArrayColumn(np.arange(SIZE, dtype=np.float32) / 10)
    return Split({"input": request.param(tmp_path)}, {"digit": labels}, {"digit": weights})


def flatten(batch):
    """The values of the images of a batch; labels and weights must be theirs."""
    inputs, targets, weights = batch
    values = inputs["input"].numpy().ravel().astype(int).tolist()
    assert targets["digit"].numpy().tolist() == [value % 3 for value in values]
    np.testing.assert_allclose(weights["digit"].numpy(), np.array(values) / 10, rtol=1e-6)
    return values


def first_batches(split, count, **order):
    return [flatten(batch) for batch in islice(split.batches(BATCH, **order), count)]


def samples(split):
    return list(chain(*(flatten(batch) for batch in split.ordered(BATCH))))


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_batches_are_dictionaries_by_name(split):
    for dataset in (split.batches(5, seed=7), split.ordered(5)):
        inputs, targets, weights = next(iter(dataset))
        assert (list(inputs), list(targets), list(weights)) == (["input"], ["digit"], ["digit"])
        assert (inputs["input"].dtype, inputs["input"].shape) == ("float32", (5, 1, 1, 1))
        assert (targets["digit"].dtype, targets["digit"].shape) == ("int32", (5,))
        assert (weights["digit"].dtype, weights["digit"].shape) == ("float32", (5,))
        assert dataset.element_spec[0]["input"].shape[1:] == (1, 1, 1)


def test_split_has_no_weights_by_default(make_split):
    ((_, _, weights),) = make_split([0, 1]).ordered(2)
    assert weights == {}


def test_split_takes_several_inputs_and_targets():
    inputs = {"left": ArrayColumn(np.arange(4)), "right": ArrayColumn(np.array(list("abcd")))}
    targets = {"one": ArrayColumn(np.arange(4) * 2), "two": ArrayColumn(np.zeros((4, 3)))}
    ((found, wanted, _),) = Split(inputs, targets).subset(np.array([3, 1])).ordered(2)
    assert found["left"].numpy().tolist() == [3, 1]
    assert found["right"].numpy().tolist() == [b"d", b"b"]
    assert wanted["one"].numpy().tolist() == [6, 2]
    assert wanted["two"].shape == (2, 3)


def test_facts_are_those_of_the_columns(split):
    labels = Field((), "int32", ("a", "b", "c"))
    assert split.facts == Facts({"input": Field((1, 1, 1), value_range=(0.0, 255.0))}, {"digit": labels})
    assert split.facts.values == {"classes": 3}


@pytest.mark.parametrize(
    "classes, values",
    [
        ([("a", "b")], {"classes": 2}),
        ([("a", "b"), ("c", "d")], {"classes": 2}),
        ([("a", "b"), None], {"classes": 2}),
        ([("a", "b"), ("c",)], {}),
        ([None], {}),
    ],
    ids=["one", "as many", "and a number", "not as many", "number"],
)
def test_number_of_classes_is_known_where_it_is_one(classes, values):
    targets = {str(index): Field((), classes=names) for index, names in enumerate(classes)}
    assert Facts({}, targets).values == values


def test_ordered_is_one_pass_in_the_order_of_the_samples(split):
    assert [len(flatten(batch)) for batch in split.ordered(BATCH)] == [6, 6, 6, 3]
    assert samples(split) == list(range(SIZE))


def test_each_epoch_has_every_sample_once(split):
    batches = first_batches(split, 8, seed=7)
    assert sorted(chain(*batches[:4])) == list(range(SIZE))
    assert sorted(chain(*batches[4:])) == list(range(SIZE))


def test_last_batch_of_an_epoch_is_what_is_left(split):
    assert [len(batch) for batch in first_batches(split, 8, seed=7)] == [6, 6, 6, 3] * 2


def test_batch_size_that_divides_leaves_no_empty_batch(split):
    part = split.subset(np.arange(12))
    assert [len(batch) for batch in first_batches(part, 7, seed=7)] == [6] * 7
    assert len(list(part.ordered(BATCH))) == 2


def test_batch_larger_than_the_split_is_the_split(split):
    assert [sorted(flatten(batch)) for batch in islice(split.batches(50, seed=7), 2)] == [list(range(SIZE))] * 2


def test_order_is_a_function_of_seed_and_epoch(split):
    first = first_batches(split, 8, seed=7)
    assert first_batches(split, 8, seed=7) == first
    assert first_batches(split, 4, seed=8) != first[:4]


def test_order_is_the_same_in_memory_and_in_files(tmp_path):
    labels = {"digit": ArrayColumn((np.arange(SIZE) % 3).astype(np.int32))}
    weights = {"digit": ArrayColumn(np.arange(SIZE, dtype=np.float32) / 10)}
    orders = [
        first_batches(Split({"input": make(tmp_path)}, labels, weights), 8, seed=7) for make in (in_memory, in_files)
    ]
    assert orders[0] == orders[1]


def test_epochs_have_different_orders(split):
    batches = first_batches(split, 12, seed=7)
    epochs = [list(chain(*batches[start : start + 4])) for start in (0, 4, 8)]
    assert epochs[0] != epochs[1]
    assert epochs[1] != epochs[2]
    assert epochs[0] != epochs[2]
    assert list(range(SIZE)) not in epochs


def test_epochs_follow_each_other_without_end(split):
    batches = first_batches(split, 40, seed=7)
    epochs = [list(chain(*batches[start : start + 4])) for start in range(0, 40, 4)]
    assert all(sorted(epoch) == list(range(SIZE)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 10


def test_batches_know_that_they_are_endless(split):
    assert split.batches(2, seed=7).cardinality() == tf.data.INFINITE_CARDINALITY


def test_large_seed_is_no_other_than_itself(split):
    assert first_batches(split, 4, seed=2**31 - 1) == first_batches(split, 4, seed=2**31 - 1)
    assert first_batches(split, 4, seed=2**31 - 1) != first_batches(split, 4, seed=2**31 - 2)


@pytest.mark.parametrize("epoch, step", [(0, 0), (0, 3), (1, 0), (1, 2), (2, 3)])
def test_resume_goes_on_where_an_uninterrupted_pass_would(split, epoch, step):
    uninterrupted = first_batches(split, 4 * epoch + step + 5, seed=7)
    resumed = first_batches(split, 5, seed=7, first_epoch=epoch, first_step=step)
    assert resumed == uninterrupted[4 * epoch + step :]


def test_step_after_the_last_is_the_next_epoch(split):
    after = first_batches(split, 2, seed=7, first_epoch=0, first_step=4)
    assert after == first_batches(split, 2, seed=7, first_epoch=1)


def test_resume_reads_nothing_of_what_it_leaves_out(tmp_path, monkeypatch):
    column, read = in_files(tmp_path), []
    monkeypatch.setattr(
        column, "_read", lambda rows: read.extend(rows.tolist()) or np.zeros((len(rows), 1, 1, 1), "u1")
    )
    split = Split({"input": column}, {"digit": ArrayColumn(np.arange(SIZE))})
    batches = list(islice(split.batches(SIZE, seed=7, first_epoch=5, first_step=3), 1))
    assert len(batches) == 1
    assert len(read) % SIZE == 0
    assert len(read) < 8 * SIZE


def change(inputs, targets, weights, *, epoch, rows):
    return {"input": inputs["input"] * 0 + tf.cast(epoch, tf.float32)}, targets, {"digit": tf.cast(rows, tf.float32)}


def test_change_gets_each_batch_with_its_epoch_and_rows(split):
    part = split.subset(np.arange(10, 16))
    batches = list(islice(part.batches(3, seed=7, first_epoch=4, first_step=1, change=change), 4))
    assert [float(batch[0]["input"][0, 0, 0, 0]) for batch in batches] == [4, 5, 5, 6]
    rows = [batch[2]["digit"].numpy().astype(int).tolist() for batch in batches]
    assert rows == first_batches_of(part, 4)


def first_batches_of(part, count):
    return [flatten(batch) for batch in islice(part.batches(3, seed=7, first_epoch=4, first_step=1), count)]


def test_subset_has_its_samples_in_their_order(split):
    indices = np.array([9, 2, 5, 11, 3])
    part = split.subset(indices)
    assert (part.size, part.facts) == (5, split.facts)
    assert samples(part) == indices.tolist()
    assert part.labels("digit").tolist() == [0, 2, 2, 2, 0]
    assert [part.original(i) for i in range(5)] == [split.original(index) for index in indices]


def test_subset_of_a_subset_counts_from_the_subset(split):
    part = split.subset(np.array([9, 7, 5, 3])).subset(np.array([3, 0]))
    assert samples(part) == [3, 9]
    assert part.labels("digit").tolist() == [0, 0]
    assert part.original(0) == split.original(3)


def test_subset_leaves_its_parent_alone(split):
    split.subset(np.array([2]))
    assert split.size == SIZE
    assert samples(split) == list(range(SIZE))


def test_batches_of_a_subset_have_its_samples_only(split):
    part = split.subset(np.array([9, 2, 5, 11, 3]))
    assert Counter(chain(*first_batches(part, 3, seed=7))) == Counter([9, 2, 5, 11, 3] * 3)


def test_subset_out_of_range_is_an_error(split):
    with pytest.raises(IndexError, match="index 21 is out of bounds"):
        split.subset(np.array([SIZE]))


def test_original_is_that_of_the_first_input(split):
    assert split.original(17).endswith(("images.gz, image 17", "17.png"))
    assert len({split.original(index) for index in range(SIZE)}) == SIZE


def test_labels_of_the_whole_split_are_not_copied(make_split):
    split = make_split([0, 1, 0])
    assert split.labels("digit") is split.labels("digit")
    assert split.labels("digit").dtype == np.int32


@pytest.mark.parametrize("rows", [[1, 0, 2], [0, 1]], ids=["order", "part"])
def test_labels_follow_the_rows(make_split, rows):
    part = make_split([0, 1, 2]).subset(np.array(rows))
    assert part.labels("digit").tolist() == rows
    assert part.whole_labels("digit").tolist() == [0, 1, 2]


def test_target_that_is_not_in_memory_has_no_labels(tmp_path):
    split = Split({"input": in_memory(tmp_path)}, {"digit": in_files(tmp_path)})
    with pytest.raises(TypeError, match=r"^the target 'digit' is not in memory$"):
        split.labels("digit")


def test_weighted_leaves_its_parent_alone(make_split):
    split = make_split([0, 1]).subset(np.array([1]))
    part = split.weighted({"digit": ArrayColumn(np.array([2, 3], np.float32))})
    ((_, _, weights),) = part.ordered(1)
    assert weights["digit"].numpy().tolist() == [3]
    assert (list(part.weights), split.weights) == (["digit"], {})


def test_datasets_and_subsets_share_one_tensor():
    images = np.ones((20_000, 1_000), np.uint8)  # 20 MB
    split = Split({"input": ArrayColumn(images)}, {"digit": ArrayColumn(np.zeros(20_000, np.int32))})
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


def test_empty_split_is_refused():
    with pytest.raises(DataError, match="must hold at least one sample"):
        Split({"input": ArrayColumn(np.zeros((0, 2)))}, {"digit": ArrayColumn(np.zeros(0))})


def test_empty_subset_is_refused(make_split):
    with pytest.raises(DataError, match="must hold at least one sample"):
        make_split([0, 1]).subset(np.array([], int))


def test_data_is_read_and_split_without_tensorflow():
    program = (
        "import sys; import numpy as np; from trainkit.data import SOURCES, Split, fingerprint, Splits\n"
        "from trainkit.data.splitting import split_off\n"
        "columns = SOURCES.get('Sample')().train.columns\n"
        "train = Split({'input': columns['image']}, {'digit': columns['label']})\n"
        "fingerprint(Splits(*split_off(train, 0.1, key='validation_split', seed=0)))\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

"""The contract of a source, over every one that is registered."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections import Counter
from itertools import chain, islice

import numpy as np
import pytest

from trainkit.data import SOURCES, check_splits, fingerprint


def idx_files(write_idx):
    generator = np.random.default_rng(0)
    for part, size in (("", 21), ("test_", 8)):
        images = generator.integers(0, 256, (size, 4, 5)).astype(np.uint8)
        yield f"{part}images", write_idx(f"{part}images.gz", images)
        yield f"{part}labels", write_idx(f"{part}labels.gz", (np.arange(size) % 3).astype(np.uint8))


ARGUMENTS = {
    "Sample": lambda write_mnist, write_idx: {},
    "Mnist": lambda write_mnist, write_idx: {"path": write_mnist()},
    "FashionMnist": lambda write_mnist, write_idx: {"path": write_mnist()},
    "Idx": lambda write_mnist, write_idx: dict(idx_files(write_idx)),
}


@pytest.fixture(params=ARGUMENTS)
def make_splits(request, write_mnist, write_idx):
    arguments = ARGUMENTS[request.param](write_mnist, write_idx)
    return lambda: SOURCES.get(request.param)(**arguments)


@pytest.fixture
def split(make_splits):
    return make_splits().train


def flatten(batch):
    """A batch as `(row, label)` pairs that can be compared and counted."""
    inputs, targets, _ = batch
    rows = [hashlib.sha256(row.tobytes()).hexdigest() for row in inputs["input"].numpy()]
    return list(zip(rows, targets["target"].numpy().tolist(), strict=True))


def samples(split):
    return flatten(next(iter(split.ordered(split.size))))


def a_quarter(split):
    """A batch size that makes four batches an epoch, the last one smaller."""
    return split.size // 4 + 1


def first_batches(split, count, **order):
    return [flatten(batch) for batch in islice(split.batches(a_quarter(split), **order), count)]


def test_every_source_is_tried():
    assert set(ARGUMENTS) == set(SOURCES)
    assert len(ARGUMENTS) >= 4


@pytest.mark.parametrize("name", list(SOURCES))
def test_arguments_are_keywords_with_annotations(name):
    signature = inspect.signature(SOURCES.get(name))
    assert signature.return_annotation == "Splits"
    for parameter in signature.parameters.values():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.annotation is not parameter.empty


def test_source_returns_checked_splits_without_validation(make_splits):
    splits = make_splits()
    check_splits(splits)
    assert splits.validation is None
    assert splits.test.size > 0


def test_source_returns_the_same_data_each_time(make_splits):
    assert fingerprint(make_splits()) == fingerprint(make_splits())


def test_facts_and_arrays_agree(split):
    assert split.arrays["input"].shape == (split.size, *split.facts.input_shape)
    assert split.arrays["target"].tolist() == split.labels().tolist()
    assert split.labels().dtype == np.int32
    assert split.facts.values == {"classes": len(split.facts.classes)}


def test_batches_have_float_inputs_int_targets_and_no_weights(split):
    for dataset in (split.batches(5, seed=7), split.ordered(5)):
        inputs, targets, weights = next(iter(dataset))
        assert (list(inputs), list(targets), weights) == (["input"], ["target"], {})
        assert (inputs["input"].dtype, inputs["input"].shape) == ("float32", (5, *split.facts.input_shape))
        assert (targets["target"].dtype, targets["target"].shape) == ("int32", (5,))
        assert dataset.element_spec[0]["input"].shape[1:] == split.facts.input_shape


def test_ordered_is_one_pass_in_the_order_of_the_arrays(split):
    batches = list(split.ordered(a_quarter(split)))
    assert len(batches) == 4
    inputs = np.concatenate([batch[0]["input"] for batch in batches])
    np.testing.assert_array_equal(inputs, split.arrays["input"].astype(np.float32))
    assert [label for batch in batches for label in batch[1]["target"].numpy()] == split.labels().tolist()


def test_each_epoch_has_every_sample_once(split):
    batches = first_batches(split, 8, seed=7)
    everything = Counter(samples(split))
    assert Counter(chain(*batches[:4])) == everything
    assert Counter(chain(*batches[4:])) == everything


def test_last_batch_of_an_epoch_is_what_is_left(split):
    size = a_quarter(split)
    assert [len(batch) for batch in first_batches(split, 8, seed=7)] == [size, size, size, split.size - 3 * size] * 2


def test_batch_size_that_divides_leaves_no_empty_batch(split):
    part = split.subset(np.arange(12))
    assert [len(flatten(batch)) for batch in islice(part.batches(4, seed=7), 7)] == [4] * 7
    assert len(list(part.ordered(4))) == math.ceil(12 / 4)


def test_order_is_a_function_of_seed_and_epoch(split):
    first = first_batches(split, 8, seed=7)
    assert first_batches(split, 8, seed=7) == first
    assert first_batches(split, 4, seed=8) != first[:4]


def test_epochs_have_different_orders(split):
    batches = first_batches(split, 12, seed=7)
    epochs = [list(chain(*batches[start : start + 4])) for start in (0, 4, 8)]
    assert epochs[0] != epochs[1]
    assert epochs[1] != epochs[2]
    assert epochs[0] != epochs[2]
    assert samples(split) not in epochs


@pytest.mark.parametrize("epoch, step", [(0, 0), (0, 3), (1, 0), (1, 2), (2, 3)])
def test_resume_goes_on_where_an_uninterrupted_pass_would(split, epoch, step):
    uninterrupted = first_batches(split, 4 * epoch + step + 5, seed=7)
    resumed = first_batches(split, 5, seed=7, first_epoch=epoch, first_step=step)
    assert resumed == uninterrupted[4 * epoch + step :]


def test_step_after_the_last_is_the_next_epoch(split):
    after = first_batches(split, 2, seed=7, first_epoch=0, first_step=4)
    assert after == first_batches(split, 2, seed=7, first_epoch=1)


def test_subset_has_its_samples_in_their_order(split):
    indices = np.array([9, 2, 5, 11, 3])
    part, whole = split.subset(indices), samples(split)
    assert part.size == 5
    assert part.facts == split.facts
    assert samples(part) == [whole[index] for index in indices]
    assert part.labels().tolist() == split.labels()[indices].tolist()
    assert part.arrays["input"].tolist() == split.arrays["input"][indices].tolist()
    assert [part.original(i) for i in range(5)] == [split.original(index) for index in indices]


def test_batches_of_a_subset_have_its_samples_only(split):
    part = split.subset(np.array([9, 2, 5, 11, 3]))
    assert Counter(chain(*first_batches(part, 3, seed=7))) == Counter(samples(part))


def test_original_tells_samples_apart(split):
    assert len({split.original(index) for index in range(split.size)}) == split.size

"""Weight clustering."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress import Promise
from trainkit.deploy.compress.cluster import cluster
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.kernels import kernels_of
from trainkit.errors import InputError


def distinct(model):
    return {name: len(np.unique(kernel)) for name, kernel in kernels_of(model).items()}


def test_cluster_leaves_as_many_values_as_were_asked_for(clustered):
    assert all(2 < count <= 8 for count in distinct(clustered.model).values())


def test_cluster_keeps_the_zeros_of_pruning(pruned, clustered):
    before, after = kernels_of(pruned.model), kernels_of(clustered.model)
    assert all(np.all(after[name][kernel == 0] == 0) for name, kernel in before.items())


def test_cluster_promises_its_values(clustered):
    (promise,) = (one for one in clustered.promises if one.layer == "digit")
    size = kernels_of(clustered.model)["digit"].size
    assert promise == Promise("Cluster", "digit", "kernel", "distinct values", 8, size)


def test_cluster_leaves_its_input_as_it_was(model, clustered, context_with):
    before = [weight.copy() for weight in model.get_weights()]
    cluster(model, context=context_with())
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))


def test_cluster_takes_numbers_by_pattern(model, context_with):
    first, last = kernels_of(model)
    result = cluster(model, clusters=4, layers={first: 0}, context=context_with(rate=0.0))
    assert distinct(result.model)[last] <= 4
    assert np.array_equal(kernels_of(result.model)[first], kernels_of(model)[first])
    assert {promise.layer for promise in result.promises} == {last}


def test_cluster_leaves_a_kernel_alone_that_has_no_more_values(model, context_with):
    first, last = kernels_of(model)
    size = kernels_of(model)[first].size
    result = cluster(model, clusters=size, context=context_with(rate=0.0))
    assert {promise.layer for promise in result.promises} == {last}


def test_cluster_never_takes_back_what_was_promised(clustered, context_with):
    result = cluster(clustered.model, clusters=32, context=context_with(*clustered.promises))
    assert max(distinct(result.model).values()) <= 8


def test_cluster_keeps_the_zeros_of_a_layer_that_it_leaves_alone(pruned, context_with):
    first = next(iter(kernels_of(pruned.model)))
    context = context_with(*pruned.promises)
    after = kernels_of(cluster(pruned.model, clusters=8, layers={first: 0}, context=context).model)
    before = kernels_of(pruned.model)
    assert np.array_equal(after[first] == 0, before[first] == 0)
    assert not np.array_equal(after[first], before[first])


def test_cluster_refuses_one_cluster(model, context_with):
    with pytest.raises(InputError, match=r"`layers` must give 2 and more clusters, or 0. Received: 'digit': 1\."):
        cluster(model, layers={"digit": 1}, context=context_with())


def test_cluster_leaves_a_kernel_alone_of_which_pruning_has_left_as_few_values(pruned, context_with):
    """Of 72 values 22 are 0: with 0, 51 can be told apart."""
    first, last = kernels_of(pruned.model)
    left = np.count_nonzero(kernels_of(pruned.model)[first]) + 1
    result = cluster(pruned.model, clusters=left, context=context_with(*pruned.promises))
    assert {promise.layer for promise in result.promises} == {last}
    assert np.count_nonzero(kernels_of(result.model)[first]) + 1 == left


def test_cluster_takes_every_value_that_is_left(pruned, context_with):
    first = next(iter(kernels_of(pruned.model)))
    left = np.count_nonzero(kernels_of(pruned.model)[first])
    result = cluster(pruned.model, clusters=left, context=context_with(*pruned.promises))
    assert distinct(result.model)[first] <= left


def test_cluster_works_on_frozen_layers_and_leaves_them_frozen(model, context_with):
    frozen = copy_model(model)
    frozen.get_layer("digit").trainable = False
    result = cluster(frozen, clusters=4, context=context_with())
    assert distinct(result.model)["digit"] <= 4
    assert not result.model.get_layer("digit").trainable


def test_cluster_of_two_leaves_one_value_besides_zero(pruned, context_with):
    result = cluster(pruned.model, clusters=2, context=context_with(*pruned.promises))
    assert set(distinct(result.model).values()) == {2}
    assert all(np.any(kernel == 0) for kernel in kernels_of(result.model).values())


def test_cluster_trains_the_shared_values(model, context_with):
    before = kernels_of(cluster(model, clusters=8, context=context_with(rate=0.0)).model)
    after = kernels_of(cluster(model, clusters=8, context=context_with()).model)
    for name, kernel in before.items():
        pairs = np.unique(np.stack([kernel.ravel(), after[name].ravel()]), axis=1)
        assert pairs.shape[1] == len(np.unique(kernel)), name  # who shared a value, shares the new one
        assert not np.array_equal(kernel, after[name])

"""What was promised, looked for in models and files."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress import Promise
from trainkit.deploy.compress.constants import Constant, read_constants
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.keeper import check_file, check_model
from trainkit.framework import tf

OTHERS = {"onnx": "ONNX", "saved model": "SavedModel"}


@pytest.fixture(scope="session")
def promises(pruned, clustered):
    return (*pruned.promises, *clustered.promises)


@pytest.fixture(scope="session")
def small_files(bench, clustered, tmp_path_factory):
    """`clustered` as files of each kind."""
    folder = tmp_path_factory.mktemp("clustered")
    files = {
        precision: bench.export(clustered.model, folder, "TFLite", precision=precision)
        for precision in ("float32", "float16", "dynamic", "int8")
    }
    others = {kind: bench.export(clustered.model, folder, name) for kind, name in OTHERS.items()}
    return files | others


def test_check_model_finds_what_was_promised(clustered, promises):
    kept = check_model(clustered.model, promises)
    assert [one.promise for one in kept] == list(promises)
    assert all(one.holds for one in kept)


@pytest.mark.parametrize("kind", ["float32", "float16", "dynamic", "int8", *OTHERS])
def test_check_file_finds_what_was_promised(small_files, promises, kind):
    kept = check_file(read_constants(small_files[kind]), promises)
    assert all(one.holds for one in kept), [str(one) for one in kept]


def test_check_model_finds_a_lost_mask(clustered, promises):
    model = copy_model(clustered.model)
    layer = model.get_layer("digit")
    kernel, bias = layer.get_weights()
    layer.set_weights([np.where(kernel == 0, kernel.max(), kernel), bias])
    broken = [str(one) for one in check_model(model, promises) if not one.holds]
    size = kernel.size
    limit = next(one.limit for one in promises if one.layer == "digit" and one.kind == "zeros")
    told = f"zeros expected: at least {limit:,} of {size:,}, found: 0."
    assert broken == [f"Prune, kernel of layer 'digit': {told}"]


@pytest.mark.parametrize("kind", ["float32", "int8", *OTHERS])
def test_check_file_finds_lost_promises(bench, clustered, promises, tmp_path, kind):
    model = copy_model(clustered.model)
    layer = model.get_layer("digit")
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel + np.random.default_rng(0).normal(0, 0.1, kernel.shape), bias])
    file = bench.export(model, tmp_path, OTHERS.get(kind, "TFLite"), **_precision(kind))
    broken = [one for one in check_file(read_constants(file), promises) if not one.holds]
    assert all(one.found is not None for one in broken)
    assert [(one.promise.step, one.promise.layer) for one in broken] == [("Prune", "digit"), ("Cluster", "digit")]


def _precision(kind):
    return {} if kind in OTHERS else {"precision": kind}


def test_check_file_tells_that_a_weight_is_missing(small_files):
    promise = Promise("Prune", "digit", "kernel", "zeros", 5, 77)
    (kept,) = check_file(read_constants(small_files["float32"]), [promise])
    assert not kept.holds
    assert (
        str(kept) == "Prune, kernel of layer 'digit': zeros expected: at least 5 of 77, found: no weight of 77 values."
    )


def test_distinct_values_of_a_file_are_counted_in_each_channel():
    values = np.array([[1, 2], [1, 2], [3, 6], [3, 6]], np.int8)  # a second channel of twice the scale
    constants = [Constant(("net/dense/MatMul",), values)]
    (kept,) = check_file(constants, [Promise("Cluster", "dense", "kernel", "distinct values", 2, 8)])
    assert (kept.found, kept.holds) == (2, True)
    (kept,) = check_file(constants, [Promise("Cluster", "dense", "kernel", "distinct values", 1, 8)])
    assert not kept.holds


def test_promises_hold_where_batch_normalization_is_folded(bench, context_with, tmp_path):
    """A converter multiplies a scale a channel into the kernel, which leaves zeros and values of a channel."""
    from trainkit.deploy.compress.cluster import cluster
    from trainkit.deploy.compress.prune import prune

    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = tf.keras.layers.Conv2D(8, 3, use_bias=False, name="conv")(inputs)
    x = tf.keras.layers.BatchNormalization(name="bn")(x)
    x = tf.keras.layers.ReLU()(x)
    x = tf.keras.layers.Flatten()(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(10, activation="softmax", name="digit")(x))
    bench.train(model, epochs=1)
    sparse = prune(model, sparsity=0.5, epochs=1, context=context_with())
    shared = cluster(sparse.model, clusters=6, context=context_with(*sparse.promises))
    promises = (*sparse.promises, *shared.promises)
    for exporter, precision in (("TFLite", "float32"), ("TFLite", "int8"), ("ONNX", "onnx")):
        file = bench.export(shared.model, tmp_path, exporter, **_precision(precision))
        kept = check_file(read_constants(file), promises)
        assert all(one.holds for one in kept), (precision, [str(one) for one in kept])

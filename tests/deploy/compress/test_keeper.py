"""What was promised, looked for in models and files."""

from __future__ import annotations

from dataclasses import replace

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


@pytest.mark.parametrize("channels, found", [(1, 2), (0, 2), (None, 4)])
def test_distinct_values_of_a_file_are_counted_in_each_output_channel(channels, found):
    values = np.array([[1, 2], [1, 2], [3, 6], [3, 6]], np.int8)  # a second column of twice the scale
    constants = [Constant(("net/dense/MatMul",), values, channels)]
    promise = Promise("Cluster", "dense", "kernel", "distinct values", found, 8)
    (kept,) = check_file(constants, [promise])
    assert (kept.found, kept.holds) == (found, True)
    (kept,) = check_file(constants, [replace(promise, limit=found - 1)])
    assert not kept.holds


@pytest.mark.parametrize("kind", ["float32", "float16", "int8", "onnx"])
def test_values_are_counted_along_the_inputs_of_a_dense_layer_not_along_its_units(bench, tmp_path, kind):
    """A kernel of 100 × 4 random values: four of them stand beside each other, a hundred go into a unit."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = tf.keras.layers.Flatten()(tf.keras.layers.MaxPooling2D()(inputs))
    x = tf.keras.layers.Dense(4, name="narrow")(x)
    model = bench.train(tf.keras.Model(inputs, tf.keras.layers.Dense(10, activation="softmax", name="digit")(x)))
    file = bench.export(model, tmp_path, OTHERS.get(kind, "TFLite"), **_precision(kind))
    (kept,) = check_file(read_constants(file), [Promise("Cluster", "narrow", "kernel", "distinct values", 16, 49 * 4)])
    assert (kept.holds, kept.found > 30) == (False, True)


@pytest.mark.parametrize("kind", ["float32", "float16", "dynamic", "int8", *OTHERS])
def test_kernels_are_found_in_front_of_a_norm_and_in_a_layer_that_is_called_twice(bench, tmp_path, kind):
    """A file calls a tensor after what it was fused with, which in float16 is not even what takes it."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = tf.keras.layers.Flatten()(tf.keras.layers.MaxPooling2D()(inputs))
    x = tf.keras.layers.BatchNormalization(name="bn")(tf.keras.layers.Dense(40, name="normed")(x))
    shared = tf.keras.layers.Dense(40, name="shared")
    x = shared(tf.keras.layers.ReLU()(shared(x)))
    model = bench.train(tf.keras.Model(inputs, tf.keras.layers.Dense(10, activation="softmax", name="digit")(x)))
    promises = []
    for name in ("normed", "shared"):
        kernel, bias = model.get_layer(name).get_weights()
        kernel[::3] = 0
        model.get_layer(name).set_weights([kernel, bias])
        promises.append(Promise("Prune", name, "kernel", "zeros", int((kernel == 0).sum()), kernel.size))
    kept = check_file(
        read_constants(bench.export(model, tmp_path, OTHERS.get(kind, "TFLite"), **_precision(kind))), promises
    )
    assert all(one.holds for one in kept), [str(one) for one in kept]


def test_name_of_the_model_is_no_name_of_a_layer(bench, tmp_path):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = tf.keras.layers.Flatten()(inputs)
    x = tf.keras.layers.Dense(10, name="first")(x)
    x = tf.keras.layers.Dense(10, name="second")(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(10, activation="softmax", name="digit")(x), name="second")
    model.get_layer("digit").set_weights([np.zeros((10, 10)), np.zeros(10)])
    constants = read_constants(bench.export(model, tmp_path, "TFLite"))
    (kept,) = check_file(constants, [Promise("Prune", "second", "kernel", "zeros", 50, 100)])
    assert (kept.found, kept.holds) == (0, False)


def test_saved_model_of_a_name_with_a_dot_is_read(bench, clustered, promises, tmp_path):
    context = replace(bench.context(), name="digits.v2")
    directory = bench.export(clustered.model, tmp_path, "SavedModel", context=context)
    directory = directory.rename(tmp_path / "digits.v2_saved_model")
    assert all(one.holds for one in check_file(read_constants(directory), promises))


def test_a_bias_is_not_taken_for_a_kernel_of_its_size():
    constants = [Constant(("net/dense/BiasAdd",), np.zeros(8), 0), Constant(("net/dense/MatMul",), np.ones((1, 8)), 0)]
    (kept,) = check_file(constants, [Promise("Prune", "dense", "kernel", "zeros", 4, 8)])
    assert (kept.holds, kept.found) == (False, 0)


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

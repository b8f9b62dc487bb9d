"""Magnitude pruning."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress.kernels import kernels_of
from trainkit.deploy.compress.prune import prune
from trainkit.errors import InputError
from trainkit.framework import tf


def sparsity_of(model):
    return {name: float(np.mean(kernel == 0)) for name, kernel in kernels_of(model).items()}


def test_prune_reaches_the_sparsity_of_each_kernel(pruned):
    found = sparsity_of(pruned.model)
    assert found["digit"] == pytest.approx(0.8, abs=1e-3)
    (convolution,) = found.keys() - {"digit"}
    assert found[convolution] == pytest.approx(0.3, abs=1e-2)


def test_prune_gives_a_plain_model_with_the_names_of_the_old_one(model, pruned):
    assert [(layer.name, type(layer)) for layer in pruned.model.layers] == [
        (layer.name, type(layer)) for layer in model.layers
    ]
    assert pruned.model.output_names == model.output_names


def test_prune_leaves_its_input_as_it_was(bench, model, context_with):
    before = [weight.copy() for weight in model.get_weights()]
    prune(model, sparsity=0.5, epochs=1, context=context_with())
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))


def test_prune_promises_its_zeros(pruned):
    found = {promise.layer: promise for promise in pruned.promises}
    kernel = kernels_of(pruned.model)["digit"]
    promise = found["digit"]
    assert (promise.step, promise.weight, promise.kind) == ("Prune", "kernel", "zeros")
    assert (promise.limit, promise.size) == (int((kernel == 0).sum()), kernel.size)


def test_prune_keeps_the_largest_weights_where_nothing_is_trained(model, context_with):
    result = prune(model, sparsity=0.75, schedule="constant", epochs=1, context=context_with(rate=0.0))
    before, after = kernels_of(model)["digit"], kernels_of(result.model)["digit"]
    kept = after != 0
    assert np.array_equal(after[kept], before[kept])
    assert np.abs(before[~kept]).max() <= np.abs(before[kept]).min()


def test_prune_can_leave_out_the_first_and_the_last_layer(model, context_with):
    first, last = kernels_of(model)
    result = prune(model, sparsity=0.5, skip_first=True, epochs=1, context=context_with(rate=0.0))
    assert sparsity_of(result.model) == {first: 0.0, last: pytest.approx(0.5, abs=1e-3)}
    result = prune(model, sparsity=0.5, skip_last=True, epochs=1, context=context_with(rate=0.0))
    assert sparsity_of(result.model)[last] == 0.0
    assert {promise.layer for promise in result.promises} == {first}


def test_prune_prunes_a_skipped_layer_that_a_pattern_names(model, context_with):
    first, last = kernels_of(model)
    context = context_with(rate=0.0)
    result = prune(model, layers={first: 0.5, "*": 0.0}, skip_first=True, epochs=1, context=context)
    assert sparsity_of(result.model) == {first: pytest.approx(0.5, abs=0.02), last: 0.0}


def test_prune_never_takes_back_zeros_that_were_promised(pruned, context_with):
    context = context_with(*pruned.promises)
    result = prune(pruned.model, sparsity=0.5, layers={"conv*": 0.5}, epochs=1, context=context)
    found = sparsity_of(result.model)
    assert found.pop("digit") >= 0.8 - 1e-3
    assert found.popitem()[1] == pytest.approx(0.5, abs=1e-2)


def test_prune_trains_what_is_left(bench, model, context_with):
    after, alone = (prune(model, sparsity=0.9, epochs=1, context=context_with(rate=rate)).model for rate in (1e-3, 0.0))
    images, labels = bench.test["input"].astype(np.float32), bench.test_labels
    accuracy = [np.mean(one.predict(images, verbose=0).argmax(1) == labels) for one in (after, alone)]
    assert accuracy[0] > accuracy[1] + 0.02


def test_prune_refuses_a_pattern_that_fits_no_layer(model, context_with):
    with pytest.raises(InputError, match=r"`layers` must name layers with a kernel: .*digit.*Received: 'dense\*'"):
        prune(model, layers={"dense*": 0.5}, context=context_with())


def test_prune_refuses_to_do_nothing(model, context_with):
    with pytest.raises(InputError, match="Prune must have a kernel to prune"):
        prune(model, sparsity=0.0, context=context_with())


def test_prune_leaves_depthwise_kernels_alone(context_with):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = tf.keras.layers.DepthwiseConv2D(3, name="depthwise")(inputs)
    x = tf.keras.layers.GlobalAveragePooling2D()(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(10, activation="softmax", name="digit")(x))
    result = prune(model, sparsity=0.5, epochs=1, context=context_with())
    assert np.count_nonzero(result.model.get_layer("depthwise").get_weights()[0]) == 9

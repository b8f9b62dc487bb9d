"""Magnitude pruning."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from trainkit.deploy.compress import Measurement
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.kernels import kernels_of
from trainkit.deploy.compress.prune import prune
from trainkit.errors import InputError
from trainkit.framework import tf

prune_module = sys.modules["trainkit.deploy.compress.prune"]


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
    with pytest.raises(InputError, match=r"`layers` must fit a layer with a kernel\. Received: 'dense\*'"):
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


def test_prune_has_one_threshold_for_all_kernels(model, context_with):
    before = kernels_of(model)
    result = prune(model, sparsity=0.7, scope="global", schedule="constant", epochs=1, context=context_with(rate=0.0))
    after = kernels_of(result.model)
    sizes, zeros = (np.concatenate([one.ravel() for one in found.values()]) for found in (before, after))
    expected = np.abs(sizes) > np.sort(np.abs(sizes))[round(0.7 * sizes.size) - 1]
    assert np.array_equal(zeros != 0, expected)
    assert len({round(share, 2) for share in sparsity_of(result.model).values()}) == 2


def test_prune_by_one_threshold_leaves_out_kernels_that_a_pattern_names(model, context_with):
    first, last = kernels_of(model)
    context = context_with(rate=0.0)
    result = prune(model, sparsity=0.7, layers={first: 0.25}, scope="global", epochs=1, context=context)
    assert sparsity_of(result.model) == {first: pytest.approx(0.25), last: pytest.approx(0.7, abs=1e-3)}


def test_prune_leaves_the_same_share_of_what_is_left_in_each_round(model, context_with, monkeypatch):
    """1 - 0.936 = 0.4³: 40% of what is left, three times."""
    seen = []
    real = prune_module.train_masked

    def noting(model, layers, update, **keywords):
        def update_and_note(step, kernels):
            update(step, kernels)
            zeros = 1 - tf.reduce_mean(next(one.mask for one in kernels if one.layer == "digit"))
            tf.py_function(lambda value: seen.append(float(value)), [zeros], [])

        return real(model, layers, update_and_note, **keywords)

    monkeypatch.setattr(prune_module, "train_masked", noting)
    result = prune(model, sparsity=0.936, rounds=3, schedule="constant", epochs=1, context=context_with())
    assert len(seen) == 60
    assert [seen[0], seen[19], seen[20], seen[39], seen[40], seen[59]] == pytest.approx(
        [0.6, 0.6, 0.84, 0.84, 0.936, 0.936], abs=1e-3
    )
    assert sparsity_of(result.model)["digit"] == pytest.approx(0.936, abs=1e-3)


def test_prune_reaches_its_sparsity_in_a_training_of_one_step(model, context_with):
    context = replace(context_with(), steps_per_epoch=1, fine_tune=one_step)
    assert sparsity_of(prune(model, sparsity=0.5, epochs=1, context=context).model)["digit"] == pytest.approx(0.5)


def one_step(model, *, epochs, callbacks):
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(np.zeros((2, 14, 14, 1)), np.array([0, 1]))


def test_prune_prunes_frozen_layers(model, context_with):
    frozen = copy_model(model)
    frozen.get_layer("digit").trainable = False
    result = prune(frozen, sparsity=0.5, epochs=1, context=context_with())
    assert sparsity_of(result.model)["digit"] == pytest.approx(0.5, abs=1e-3)
    assert not result.model.get_layer("digit").trainable
    before, after = kernels_of(model)["digit"], kernels_of(result.model)["digit"]
    assert np.array_equal(before[after != 0], after[after != 0])


@pytest.fixture(scope="module")
def within_budget(model, context_with):
    return prune(model, sparsity="auto", accuracy_drop=2.0, rounds=2, epochs=1, context=context_with())


def test_prune_finds_sparsities_that_leave_the_accuracy_before_anything_makes_up_for_them(
    model, within_budget, context_with
):
    rounds = within_budget.facts["rounds"]
    before = within_budget.facts["accuracy_before"]
    assert before == context_with().measure(model).accuracy
    assert len(rounds) == 2
    assert all(before - 0.02 <= one["accuracy"] <= before + 0.02 for one in rounds)
    first, second = (one["sparsity"] for one in rounds)
    assert all(second[layer] >= share for layer, share in first.items())
    assert sum(second.values()) > sum(first.values()) > 0.5
    assert sparsity_of(within_budget.model) == {
        layer: pytest.approx(share, abs=1e-3) for layer, share in second.items()
    }


def test_prune_tells_what_zeros_in_each_kernel_cost(model, within_budget, context_with):
    sensitivity = within_budget.facts["rounds"][0]["sensitivity"]
    curves = {one["layer"]: one for one in sensitivity["kernels"]}
    assert curves.keys() == kernels_of(model).keys()
    hurt = copy_model(model)
    kernel, bias = hurt.get_layer("digit").get_weights()
    hurt.get_layer("digit").set_weights([np.where(np.abs(kernel) > np.quantile(np.abs(kernel), 0.9), kernel, 0), bias])
    expected = context_with().measure(hurt, samples=2000)
    index = curves["digit"]["zeros"].index(0.9)
    assert curves["digit"]["loss"][index] == pytest.approx(expected.loss, rel=1e-3)
    assert curves["digit"]["accuracy"][index] == pytest.approx(expected.accuracy, abs=1e-3)


def test_prune_within_a_budget_of_nothing_keeps_the_accuracy(model, context_with):
    result = prune(model, sparsity="auto", accuracy_drop=0.0, layers={"digit": 0.0}, epochs=1, context=context_with())
    assert result.facts["rounds"][0]["accuracy"] >= result.facts["accuracy_before"]
    assert sparsity_of(result.model)["digit"] == 0.0


def test_prune_within_a_budget_never_takes_back_zeros_that_were_promised(pruned, context_with):
    result = prune(pruned.model, sparsity="auto", layers={"digit": 0}, epochs=1, context=context_with(*pruned.promises))
    assert sparsity_of(result.model)["digit"] >= 0.8 - 1e-3


@pytest.mark.parametrize(
    "arguments, told",
    [
        ({"scope": "global"}, "`scope` must be layer where `sparsity` is auto. Received: scope='global'."),
        ({"layers": {"digit": 0.5}}, r"`layers` must be 0, .* where `sparsity` is auto. Received: 'digit': 0.5."),
    ],
    ids=["scope", "layers"],
)
def test_prune_refuses_what_does_not_go_with_a_budget(model, context_with, arguments, told):
    with pytest.raises(InputError, match=told):
        prune(model, sparsity="auto", **arguments, context=context_with())


def test_prune_refuses_a_budget_where_nothing_is_right_or_wrong(model, context_with):
    context = replace(context_with(), validate=lambda model, samples: Measurement(0.1, None))
    with pytest.raises(InputError, match=r"`sparsity` must be a number where no output is a class\. Received: .*auto"):
        prune(model, sparsity="auto", context=context)


@pytest.mark.parametrize("arguments", [{}, {"scope": "global"}, {"rounds": 2}], ids=["layer", "global", "rounds"])
def test_prune_leaves_one_value_of_a_small_kernel(arguments, context_with):
    """90% of 4 values are 3.6: all of them, were one not kept."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = tf.keras.layers.Dense(4, name="first")(tf.keras.layers.GlobalAveragePooling2D()(inputs))
    x = tf.keras.layers.Dense(1, name="narrow")(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(10, activation="softmax", name="digit")(x))
    model.get_layer("narrow").kernel.assign(tf.constant([[1e-4], [2e-4], [3e-4], [4e-4]]))
    result = prune(model, sparsity=0.9, **arguments, context=context_with(rate=0.0))
    assert np.flatnonzero(kernels_of(result.model)["narrow"]).tolist() == [3]

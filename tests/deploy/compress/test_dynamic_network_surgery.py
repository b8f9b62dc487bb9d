"""Dynamic network surgery."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.dynamic_network_surgery import _Aim, _Surgery, dynamic_network_surgery
from trainkit.deploy.compress.kernels import kernels_of
from trainkit.deploy.compress.masks import Masked
from trainkit.deploy.compress.prune import prune
from trainkit.errors import InputError
from trainkit.framework import tf


def sparsity_of(model):
    return {name: float(np.mean(kernel == 0)) for name, kernel in kernels_of(model).items()}


def kernel_of(weights, mask):
    return Masked("digit", tf.Variable(weights), tf.Variable(mask), tf.Variable(0.0))


def test_surgery_prunes_below_and_revives_above_the_margin_and_leaves_what_is_between():
    """The threshold is 1: weights are pruned up to 0.9, and come back above 1.1."""
    kernel = kernel_of([0.89, 0.91, -1.09, -1.11, 0.89, 0.91, -1.09, -1.11], [1.0] * 4 + [0.0] * 4)
    _Surgery({"digit": _Aim(1.0, 0.0, 0.0)}, steps=10, gamma=0.0, power=1.0)(tf.constant(0, tf.int64), [kernel])
    assert kernel.mask.numpy().tolist() == [0, 1, 1, 1, 0, 0, 0, 1]


def test_surgery_changes_masks_with_a_probability_that_falls_and_is_0_in_the_end():
    """(1 + step) ** -1 is 1/4 at step 3."""
    kernels = [kernel_of([0.1], [1.0]) for _ in range(100)]
    surgery = _Surgery({"digit": _Aim(1.0, 0.0, 0.0)}, steps=10, gamma=1.0, power=1.0)
    surgery(tf.constant(11, tf.int64), kernels)
    assert sum(float(one.mask[0]) for one in kernels) == 100
    surgery(tf.constant(0, tf.int64), kernels[:1])
    assert float(kernels[0].mask[0]) == 0
    for one in kernels:
        one.mask.assign([1.0])
        one.threshold.assign(1.0)
    surgery(tf.constant(3, tf.int64), kernels)
    assert np.mean([1 - float(one.mask[0]) for one in kernels]) == pytest.approx(0.25, abs=0.12)


def test_surgery_reaches_the_sparsity_of_each_kernel_and_promises_it(model, context_with):
    first, last = kernels_of(model)
    result = dynamic_network_surgery(model, sparsity=0.8, layers={first: 0.5}, epochs=1, context=context_with())
    assert sparsity_of(result.model) == {first: pytest.approx(0.5), last: pytest.approx(0.8, abs=1e-3)}
    promises = {one.layer: one for one in result.promises}
    assert (promises[last].step, promises[last].kind) == ("DynamicNetworkSurgery", "zeros")
    assert promises[last].limit == np.count_nonzero(kernels_of(result.model)[last] == 0)


def test_surgery_has_the_thresholds_of_the_paper(model, context_with):
    """Nothing is trained: what is pruned lies below 0.9 of mean plus c deviations of the sizes."""
    result = dynamic_network_surgery(model, sparsity=0.0, c={"digit": 0.5}, epochs=1, context=context_with(rate=0.0))
    before, after = kernels_of(model)["digit"], kernels_of(result.model)["digit"]
    sizes = np.abs(before)
    assert np.array_equal(after == 0, sizes <= np.float32(0.9) * (sizes.mean() + 0.5 * sizes.std()))


def test_surgery_lets_weights_come_back_that_pruning_leaves_at_0(model, context_with):
    """The largest weights of a trained network are made the smallest of all."""
    hurt = copy_model(model)
    kernel, bias = hurt.get_layer("digit").get_weights()
    matters = np.abs(kernel) >= np.sort(np.abs(kernel), axis=None)[-100]
    hurt.get_layer("digit").set_weights([np.where(matters, 1e-6, kernel), bias])
    options = {"layers": {"digit": 0.5, "*": 0.0}, "epochs": 2, "context": context_with(rate=1e-2)}
    pruned = kernels_of(prune(hurt, schedule="constant", **options).model)["digit"]
    operated = kernels_of(dynamic_network_surgery(hurt, gamma=0.0, **options).model)["digit"]
    assert np.count_nonzero(pruned[matters]) == 0
    assert np.count_nonzero(operated[matters]) > 20


def test_surgery_never_takes_back_zeros_that_were_promised(pruned, context_with):
    context = context_with(*pruned.promises)
    result = dynamic_network_surgery(pruned.model, layers={"digit": 0.0, "*": 0.5}, epochs=1, context=context)
    found = sparsity_of(result.model)
    assert found.pop("digit") >= 0.8 - 1e-3
    assert found.popitem()[1] == pytest.approx(0.5, abs=1e-2)


def test_a_layer_that_is_left_alone_is_so_whatever_c_says(model, context_with):
    first, last = kernels_of(model)
    result = dynamic_network_surgery(model, layers={first: 0.0}, c={"*": 1.0}, epochs=1, context=context_with())
    found = sparsity_of(result.model)
    assert found[first] == 0
    assert found[last] > 0.5


def test_surgery_refuses_to_do_nothing(model, context_with):
    with pytest.raises(InputError, match="DynamicNetworkSurgery must have a kernel to prune"):
        dynamic_network_surgery(model, sparsity=0.0, context=context_with())


def test_surgery_refuses_a_pattern_of_c_that_fits_no_layer(model, context_with):
    with pytest.raises(InputError, match=r"`c` must fit a layer with a kernel\. Received: 'dense\*'"):
        dynamic_network_surgery(model, c={"dense*": 0.5}, context=context_with())


def test_surgery_of_no_steps_prunes_at_once(model, context_with):
    result = dynamic_network_surgery(model, sparsity=0.8, surgery=0.0, epochs=1, context=context_with())
    for kernel in kernels_of(result.model).values():
        assert np.mean(kernel == 0) == pytest.approx(0.8, abs=0.02)

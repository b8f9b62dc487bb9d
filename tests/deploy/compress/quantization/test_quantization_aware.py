from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress import Promise
from trainkit.deploy.compress.flatten import flatten
from trainkit.deploy.compress.quantization import QuantizationAware
from trainkit.errors import InputError
from trainkit.framework import tf

layers = tf.keras.layers


def small(x):
    """Convolutions with a norm, of which one is depthwise, and a Dense layer."""
    x = layers.ReLU()(layers.BatchNormalization(name="norm1")(layers.Conv2D(8, 3, name="conv1")(x)))
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x))
    x = layers.Conv2D(8, 1, activation="swish", name="conv2")(x)
    return layers.Dense(5, name="answer")(layers.Flatten()(x))


@pytest.fixture
def network(workshop):
    return workshop.network(small)


def thin(model, name, *, weight="kernel", zeros=None, values=None):
    """Give a weight zeros, a few values, or both; and promise them."""
    layer = model.get_layer(name)
    kernel = getattr(layer, weight).numpy()
    if values:
        centers = np.linspace(kernel.min(), kernel.max(), values - 1).astype(np.float32)
        kernel = centers[np.abs(kernel[..., None] - centers).argmin(-1)]
    if zeros:
        kernel[np.random.default_rng(4).random(kernel.shape) < zeros] = 0
    getattr(layer, weight).assign(kernel)
    found = {"zeros": int((kernel == 0).sum()) if zeros else 0, "distinct values": values or 0}
    return [Promise("Step", name, weight, kind, limit, kernel.size) for kind, limit in found.items() if limit]


def test_inputs_and_outputs_keep_names_and_order(workshop):
    first, second = tf.keras.Input((8, 8, 3), name="z"), tf.keras.Input((4,), name="a")
    x = layers.Dense(4, name="middle", activation="swish")(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(first)))
    x = layers.Add()([x, layers.Dense(4)(second)])
    model = tf.keras.Model([first, second], [layers.Dense(2, "softmax", name="class")(x), x, model_free(x)])
    quantized = workshop.quantize(model)
    for one in (quantized.model, quantized.finish()):
        assert (one.input_names, one.output_names) == (model.input_names, model.output_names)
    finished = quantized.finish()
    assert (
        workshop.difference(workshop.write(finished).predict(workshop.samples(model)), workshop.answers(finished))
        < 0.05
    )


def model_free(x):
    return layers.Activation("sigmoid", name="last")(layers.Dense(1)(x))


def test_ranges_start_from_samples(network, workshop):
    """Without training, rounding costs little; with TFMOT's range of 6 nothing would be left of images of 255."""
    quantized = workshop.quantize(network)
    assert workshop.difference(workshop.answers(quantized.model), workshop.answers(network)) < 0.05


def test_the_finished_network_answers_like_the_trained_one(network, workshop):
    quantized = workshop.quantize(network)
    workshop.train(quantized)
    finished = quantized.finish()
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in finished._flatten_layers())
    assert workshop.difference(workshop.answers(finished), workshop.answers(quantized.model)) < 1e-2
    assert np.median(np.abs(workshop.answers(finished)["answer"] - workshop.answers(quantized.model)["answer"])) < 1e-4
    assert workshop.difference(workshop.answers(quantized.model), workshop.answers(network)) > 0.1  # it has trained


def test_weights_that_were_stored_make_the_same_network_again(network, workshop):
    promises = thin(network, "conv1", zeros=0.5, values=6)
    plain = flatten(network)
    first = QuantizationAware(plain, promises, workshop.samples(network))
    workshop.train(first)
    second = QuantizationAware(plain, promises)
    second.model.set_weights(first.model.get_weights())
    np.testing.assert_array_equal(
        workshop.answers(second.finish())["answer"], workshop.answers(first.finish())["answer"]
    )


def test_the_plain_network_is_not_changed(network, workshop):
    plain = flatten(network)
    before = plain.get_weights()
    quantized = QuantizationAware(plain, (), workshop.samples(network))
    workshop.train(quantized)
    finished = quantized.finish()
    finished.set_weights([weight * 0 for weight in finished.get_weights()])
    for found, expected in zip(plain.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert np.abs(workshop.answers(quantized.model)["answer"]).max() > 0


def test_promises_hold_in_the_file_after_training(network, workshop):
    """One kernel pruned, one of few values, one of both, one depthwise; the last is free."""
    promises = [
        *thin(network, "conv1", zeros=0.6),
        *thin(network, "depthwise", weight="depthwise_kernel", values=5),
        *thin(network, "conv2", zeros=0.5, values=6),
    ]
    quantized = workshop.quantize(network, promises)
    assert quantized.scheme == "PCQAT"
    workshop.train(quantized, epochs=2, rate=1e-2)
    kernels = {kernel.size: kernel.reshape(len(kernel), -1) for kernel in workshop.write(quantized.finish()).kernels}
    conv1, depthwise, conv2 = (kernels[size] for size in (3 * 3 * 3 * 8, 3 * 3 * 8 * 2, 16 * 8))
    limits = {(promise.layer, promise.kind): promise.limit for promise in promises}
    assert (conv1 == 0).sum() >= limits["conv1", "zeros"]
    assert max(len(np.unique(channel)) for channel in conv1) > 6  # nothing was promised of these
    assert max(len(np.unique(channel)) for channel in depthwise) <= 5
    assert (conv2 == 0).sum() >= limits["conv2", "zeros"]
    assert max(len(np.unique(channel)) for channel in conv2) <= 6


def test_promised_weights_train(network, workshop):
    promises = thin(network, "conv2", zeros=0.5, values=6)
    before = np.unique(network.get_layer("conv2").kernel)
    quantized = workshop.quantize(network, promises)
    workshop.train(quantized, rate=1e-2)
    after = np.unique(quantized.finish().get_layer("conv2.linear").layer.kernel)
    assert 0 in after
    assert np.abs(np.setdiff1d(after, 0)[:, None] - before).min() > 0


@pytest.mark.parametrize(
    "kinds, scheme",
    [((), "QAT"), (("zeros",), "PQAT"), (("distinct values",), "CQAT"), (("zeros", "distinct values"), "PCQAT")],
    ids=["nothing", "zeros", "values", "both"],
)
def test_the_scheme_tells_what_is_preserved(kinds, scheme, network):
    promises = [Promise("Step", "conv1", "kernel", kind, 100, 216) for kind in kinds]
    assert QuantizationAware(flatten(network), promises).scheme == scheme


def test_frozen_layers_do_not_train(network, workshop):
    network.get_layer("conv1").trainable = False
    quantized = workshop.quantize(network)
    before = quantized.model.get_layer("conv1").get_weights()
    workshop.train(quantized, rate=1e-2)
    for found, expected in zip(quantized.model.get_layer("conv1").get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_channels_that_are_all_zero_keep_their_bias(network, workshop):
    kernel = network.get_layer("conv1").kernel
    kernel.assign(kernel * [0, 1, 1, 1, 1, 1, 1, 1])
    network.get_layer("norm1").gamma.assign([1, 1e-9, 1, 1, 1, 1, 1, 1])
    finished = workshop.quantize(network).finish()
    assert (
        workshop.difference(workshop.write(finished).predict(workshop.samples(network)), workshop.answers(finished))
        < 0.05
    )


def test_numbers_before_the_file_pass_unharmed(workshop):
    """The exporter clones a network whose Normalization it takes out."""
    normalize = layers.Normalization(name="scale")
    normalize.adapt(np.random.default_rng(5).normal(50, 10, (100, 4)).astype(np.float32))
    inputs = tf.keras.Input((4,), name="row")
    model = tf.keras.Model(inputs, layers.Dense(3, name="answer")(layers.Dense(8, "relu")(normalize(inputs))))
    samples = {"row": np.random.default_rng(6).normal(50, 10, (64, 4)).astype(np.float32)}
    finished = QuantizationAware(flatten(model), (), samples).finish()
    file = workshop.write(finished, samples)
    assert file.operations == {"FULLY_CONNECTED": 2}
    scaled = {"row": np.asarray(normalize(samples["row"]))}
    assert workshop.difference(file.predict(scaled), {"answer": finished.predict(samples["row"], verbose=0)}) < 0.05


def test_a_network_without_kernels_is_refused():
    inputs = tf.keras.Input((4,))
    model = tf.keras.Model(inputs, layers.ReLU()(inputs))
    with pytest.raises(
        InputError, match=r"^`model` must have a convolution or a Dense layer to be quantized. Received"
    ):
        QuantizationAware(flatten(model))


def test_every_layer_is_reported_under_its_own_name(network, workshop):
    found = {layer.layer: (layer.class_name, layer.status, layer.reason) for layer in workshop.quantize(network).layers}
    assert list(found) == [layer.name for layer in flatten(network).layers[1:]]
    assert found["norm1"] == ("BatchNormalization", "folded", "folded into conv1")
    assert found["conv2"][:2] == ("Conv2D", "quantized")

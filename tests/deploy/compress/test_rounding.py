"""Files that do not round as their network has trained to."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from trainkit.deploy.compress.flatten import flatten
from trainkit.deploy.compress.quantization import QuantizationAware
from trainkit.deploy.compress.rounding import rounding_faults
from trainkit.deploy.proof import make_proof
from trainkit.deploy.verify import verify_file, with_faults
from trainkit.framework import tf

layers = tf.keras.layers


@pytest.fixture(scope="module")
def network(bench):
    """A network with a BatchNormalization, that has trained with rounding."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(8, 3, use_bias=False, name="conv")(x)
    x = layers.BatchNormalization(momentum=0.9, name="bn")(x)
    x = layers.ReLU()(x)
    x = layers.Flatten()(x)
    model = tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x))
    bench.train(model, epochs=2)
    aware = QuantizationAware(flatten(model), (), {"input": bench.images[:256].astype(np.float32)})
    bench.train(aware.model, epochs=1)
    return aware


@pytest.fixture(scope="module")
def finished(network):
    return network.finish()


@pytest.fixture(scope="module")
def report(network):
    return [asdict(layer) for layer in network.layers]


@pytest.fixture(scope="module")
def file(bench, finished, tmp_path_factory):
    return bench.export(finished, tmp_path_factory.mktemp("aware"), "TFLite", precision="int8")


def test_right_file_has_no_faults(file, finished, report):
    assert {layer["layer"]: layer["status"] for layer in report}["bn"] == "folded"
    assert rounding_faults(file, finished, report) == []


def test_right_file_answers_like_the_network(bench, file, finished, tmp_path):
    finished_proof = make_proof(finished, file, bench.test, {"digit": bench.test_labels})
    verified = verify_file(file, precision="int8", proof=finished_proof)
    assert verified.parity.passed
    assert verified.parity.agreement >= 0.99


@pytest.mark.parametrize("mover", [layers.Flatten, lambda: layers.Permute((2, 1, 3))], ids=["flatten", "permute"])
def test_norm_in_front_of_what_only_moves_values_is_folded(bench, tmp_path, mover):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="conv")(layers.Rescaling(1 / 255)(inputs))
    x = layers.Flatten()(mover()(layers.BatchNormalization(momentum=0.9, name="bn")(x)))
    model = bench.train(tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x)), epochs=1)
    aware = QuantizationAware(flatten(model), (), {"input": bench.images[:256].astype(np.float32)})
    file = bench.export(aware.finish(), tmp_path, "TFLite", precision="int8")
    told = [asdict(layer) for layer in aware.layers]
    assert {layer["layer"]: layer["status"] for layer in told}["bn"] == "folded"
    assert rounding_faults(file, aware.finish(), told) == []


@pytest.mark.parametrize("size", [1e-4, 1e-8, 1e-17, 0.0])
def test_channel_that_is_nearly_dead_is_right_with_a_larger_scale(bench, tmp_path, size):
    """Its bias would not fit into 32 bits by the scale that it has trained with."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Conv2D(8, 3, strides=2, name="conv")(layers.Rescaling(1 / 255)(inputs))
    model = tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(layers.Flatten()(x)))
    bench.train(model, epochs=1)
    kernel, bias = model.get_layer("conv").get_weights()
    kernel[..., 3] *= size
    bias[3] = 0.5
    model.get_layer("conv").set_weights([kernel, bias])
    aware = QuantizationAware(flatten(model), (), {"input": bench.images[:256].astype(np.float32)})
    finished = aware.finish()
    file = bench.export(finished, tmp_path, "TFLite", precision="int8")
    assert rounding_faults(file, finished, [asdict(layer) for layer in aware.layers]) == []


def test_kernel_that_was_never_rounded_is_found(bench, network, report, tmp_path, monkeypatch):
    """A convolution without a quantizer of its weights: the converter rounds them in its own way."""
    from trainkit.deploy.compress.quantization import quantization_aware

    monkeypatch.setattr(quantization_aware, "round_weights", lambda weights, axes: tf.convert_to_tensor(weights))
    careless = network.finish()
    file = bench.export(careless, tmp_path, "TFLite", precision="int8")
    conv, dense = rounding_faults(file, careless, report)
    assert conv.startswith("Quantize, layer 'conv': a kernel that trained rounded expected, found: one that is 0.")
    assert "layer 'digit" in dense


def test_kernel_of_another_training_is_found(bench, network, finished, report, tmp_path):
    """Stale weights: the file is of the network as it was, the proof of the network as it is."""
    other = flatten(network._plain)
    kernel = other.get_layer("conv").get_weights()[0]
    other.get_layer("conv").set_weights([kernel[..., ::-1] * 0.7 + 0.01])
    file = bench.export(QuantizationAware(other).finish(), tmp_path, "TFLite", precision="int8")
    (fault, *_) = rounding_faults(file, finished, report)
    assert fault == "Quantize, layer 'conv': the 72 int8 values that it trained with expected, found: others."


def test_batch_normalization_that_was_not_folded_is_found(bench, finished, report, tmp_path):
    """The report says that it is folded; the file multiplies and adds."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(8, 3, activation="relu", name="conv")(x)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.Flatten()(x)
    model = bench.train(tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x)), epochs=1)
    file = bench.export(model, tmp_path, "TFLite", precision="int8")
    faults = [fault for fault in rounding_faults(file, finished, report) if "'bn'" in fault]
    assert faults == ["Quantize, layer 'bn': folded into the layer before expected, found: ADD, MUL."]


def test_faults_are_the_verdict_on_a_file(bench, file, finished):
    proof = make_proof(finished, file, bench.test, {"digit": bench.test_labels})
    verified = verify_file(file, precision="int8", proof=proof)
    judged = with_faults(verified, ["Quantize, layer 'conv': something."])
    assert (judged.parity.passed, judged.parity.reason) == (False, "Quantize, layer 'conv': something.")
    assert with_faults(verified, []).parity.passed

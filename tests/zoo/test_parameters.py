"""The networks of the zoo have the parameters that are published."""

from __future__ import annotations

import importlib
import re

import pytest

from trainkit.config import evaluate
from trainkit.config.zoo import zoo_data, zoo_files
from trainkit.config.zoo_header import zoo_header
from trainkit.framework import tf

PUBLISHED = {
    "LeNet300": 266_610,
    "LeNet5": 431_080,
    "VGG16": 138_357_544,
    "ResNet50": 25_636_712,
    "ResNet101": 44_707_176,
    "ResNet152": 60_419_944,
    "MobileNetV1": 4_253_864,
    "MobileNetV2": 3_538_984,
    # 3 to 16 channels, 3 more down; 2 up from the bottom, 3 × 3 with skips; to 2 classes
    "UNet": 9 * 3 * 16 + 3 * 2304 + 2 * 2304 + 3 * 3 * 2304 + 16 * 2,
    # as folded, and of each channel of a batch normalization 4, or 3 where that gives the bias
    "ResNet8": 77_706 + 4 * (3 * 16 + 2 * 32 + 2 * 64),
    "DSCNN": 22_604 + 4 * 9 * 64,
    "AutoencoderToyAdmos": 265_864 + 4 * (8 * 128 + 8),
    # convolutions with bias, batch normalizations, classifier
    "FCN1D": (8 * 128 + 128) + (5 * 128 * 256 + 256) + (3 * 256 * 128 + 128) + 4 * 512 + (128 * 2 + 2),
    "ResNet1D": (8 + 5 * 64 + 3 * 64 + 1) * 64 + 4 * 64 + (8 * 64 + 5 * 128 + 3 * 128 + 64) * 128 + 4 * 128
    + (8 + 5 + 3) * 128 * 128 + 3 * 128 + 4 * 4 * 64 + 2 * 4 * 4 * 128 + (128 * 2 + 2),
    "LSTMClassifier": 4 * ((16 + 64) * 64 + 64) + (64 * 2 + 2),
    "GRUClassifier": 3 * ((16 + 64) * 64 + 2 * 64) + (64 * 2 + 2),
}  # fmt: skip
RESNETS = {"ResNet50": [3, 4, 6, 3], "ResNet101": [3, 4, 23, 3], "ResNet152": [3, 8, 36, 3]}
FOLDED = {
    "ResNet8": ({}, None, 77_706),
    "DSCNN": ({}, None, 22_604),
    "MobileNetV1": ({"alpha": 0.25, "classes": 2}, [96, 96, 3], 210_850),
    "AutoencoderToyAdmos": ({}, None, 265_864),
}
"""Of MLPerf Tiny, where batch normalizations are part of the layers before them."""


def test_zoo_has_these_networks():
    assert {*zoo_files()} == PUBLISHED.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_network_has_the_parameters_of_its_paper(name, network):
    assert network(name, zeros=True).count_params() == PUBLISHED[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_header_counts_the_parameters(name):
    assert zoo_header(name).parameters == PUBLISHED[name]


@pytest.mark.parametrize("name", FOLDED)
def test_network_has_the_parameters_of_mlperf_tiny(name, network):
    arguments, shape, count = FOLDED[name]
    assert folded(network(name, zeros=True, shape=shape, **arguments)) == count


def folded(model):
    """Parameters, once every batch normalization is weights and bias of the layer before it."""
    count = model.count_params()
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            before = layer.inbound_nodes[0].inbound_layers
            count -= layer.count_params() - (0 if before.use_bias else layer.gamma.shape[0])
    return count


@pytest.mark.parametrize("name", RESNETS)
def test_resnets_differ_in_their_depths_only(name):
    blocks = zoo_data(name)["blocks"]
    assert [*blocks] == [name]
    assert blocks[name]["params"]["depths"] == RESNETS[name]
    first = zoo_data("ResNet50")["blocks"]["ResNet50"]
    assert {**blocks[name], "params": None} == {**first, "params": None}
    assert {**blocks[name]["params"], "depths": None} == {**first["params"], "depths": None}


@pytest.mark.parametrize("name", RESNETS)
def test_resnets_are_short(name):
    written = re.sub(r"(?m)^\s*#.*\n|^\s*\n", "", zoo_files()[name].read_text()).splitlines()
    assert len(written) <= 60


@pytest.mark.parametrize("alpha", [0.2, 0.35, 0.5, 0.75, 1, 1.0, 1.3, 1.4])
def test_mobilenet_v2_rounds_as_keras_does(alpha):
    keras = importlib.import_module(tf.keras.applications.MobileNetV2.__module__)
    params = zoo_data("MobileNetV2")["blocks"]["MobileNetV2"]["blocks"]["ConvBN"]["params"]
    for filters in (16, 24, 32, 64, 96, 160, 320, 1280):
        whole = evaluate(params["whole"], {"filters": alpha * filters})
        assert evaluate(params["rounded"], {"whole": whole}) == keras._make_divisible(int(alpha * filters), 8)


@pytest.mark.parametrize("alpha", [0.35, pytest.param(1.4, marks=pytest.mark.slow)])
def test_mobilenet_v2_is_as_wide_as_that_of_keras(alpha, network):
    keras = tf.keras.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3), alpha=alpha)
    assert network("MobileNetV2", zeros=True, shape=[32, 32, 3], alpha=alpha).count_params() == keras.count_params()

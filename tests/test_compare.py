"""The lines of docs/compare.md are counted, of networks that are the same."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections import defaultdict
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import yaml

from trainkit.config import Model
from trainkit.framework import tf
from trainkit.models import build_model

ROOT = Path(__file__).parents[1]
COMPARED = ROOT / "benchmarks/compare"
PARAMETERS = {"lenet5": 431_080, "resnet152": 60_419_944, "unet": 32_720}
LEARNED_BY_CAFFE = {"lenet5": 431_080, "resnet152": 60_192_808, "unet": 32_720}
"""ResNet-152: without the biases of convolutions and the statistics of batch normalizations."""


def module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


lines = module(ROOT / "benchmarks/compare_lines.py")


def settings(network):
    return Model.model_validate(yaml.safe_load((COMPARED / f"{network}.yaml").read_text()))


def zeros(self, shape, dtype=None, **others):
    return tf.zeros(shape, dtype or "float32")


def test_docs_show_the_lines_that_are_counted():
    assert lines.make_table() in (ROOT / "docs/compare.md").read_text()


def test_count_lines_leaves_out_blank_lines_comments_docstrings_and_imports():
    text = '"""What it is."""\n\nimport x\nfrom x import y\n\n# why\ndef f():  # counted\n    return 1\n'
    assert lines.count_lines(text) == 2


def test_every_network_is_there_in_every_language():
    assert {*PARAMETERS} == {*lines.NETWORKS.values()}
    assert all(lines.source(network, ending) for network in PARAMETERS for ending in lines.LANGUAGES.values())


@pytest.mark.parametrize("path", sorted({*COMPARED.iterdir()} - {COMPARED / "prototxt.py"}), ids=lambda path: path.name)
def test_compared_sources_are_narrow(path):
    if path.is_file():
        assert max(map(len, path.read_text().splitlines())) <= 100


@pytest.mark.parametrize("network", PARAMETERS)
def test_keras_code_has_the_parameters(network):
    with mock.patch.object(tf.keras.initializers.GlorotUniform, "__call__", zeros):
        model = getattr(module(COMPARED / f"{network}_keras.py"), network)()
    assert model.count_params() == PARAMETERS[network]


@pytest.mark.parametrize("network", [*PARAMETERS])
def test_yaml_has_the_parameters(network):
    with mock.patch.object(tf.keras.initializers.GlorotUniform, "__call__", zeros):
        model = build_model(settings(network), {}, name=network)
    assert model.count_params() == PARAMETERS[network]


@pytest.mark.parametrize("network", ["lenet5", "unet"])
def test_yaml_and_keras_code_answer_alike(network):
    theirs = getattr(module(COMPARED / f"{network}_keras.py"), network)()
    ours = build_model(settings(network), {}, name=network)
    ours.set_weights(theirs.get_weights())
    images = np.random.default_rng(4).normal(size=(2, *ours.input_shape[1:])).astype("float32")
    np.testing.assert_allclose(ours(images), theirs(images), atol=1e-6)
    assert theirs(images).numpy().std() > 1e-3


@pytest.mark.parametrize("network", PARAMETERS)
def test_pytorch_code_can_be_read(network):
    assert ast.parse((COMPARED / f"{network}_pytorch.py").read_text()).body


@pytest.mark.parametrize("network", ["lenet5", "unet"])
def test_prototxt_files_are_those_that_are_made(network):
    assert (COMPARED / f"{network}.prototxt").read_text() == lines.make_prototxt(network)


def test_prototxt_of_resnet_152_is_as_long_as_that_of_its_authors():
    assert len(lines.make_prototxt("resnet152").splitlines()) == 6_775


@pytest.mark.parametrize("network", PARAMETERS)
def test_prototxt_has_the_parameters(network):
    assert learned(lines.make_prototxt(network)) == LEARNED_BY_CAFFE[network]


def learned(prototxt):
    """Weights and biases of a network of Caffe, whose blobs are squares."""
    _, channels, size, _ = map(int, re.findall(r"input_dim: (\d+)", prototxt))
    blobs = {"data": (channels, size)}
    count = 0
    for written in re.findall(r"^layer \{\n(.*?)^\}", prototxt, flags=re.MULTILINE | re.DOTALL):
        keys = defaultdict(list)
        for key, value in re.findall(r'(\w+): "?(\w+)"?', written):
            keys[key].append(value)
        channels, size = blobs[keys["bottom"][0]]
        kernel, pad, stride, outputs = (
            int((keys[key] or [other])[0])
            for key, other in (("kernel_size", 1), ("pad", 0), ("stride", 1), ("num_output", channels))
        )
        bias = 0 if keys["bias_term"] == ["false"] else outputs
        match keys["type"][0]:
            case "Convolution":
                count += kernel**2 * channels * outputs + bias
                size = (size + 2 * pad - kernel) // stride + 1
            case "Deconvolution":
                count += kernel**2 * channels * outputs + bias
                size = stride * (size - 1) + kernel
            case "InnerProduct":
                count += size**2 * channels * outputs + bias
                size = 1
            case "Pooling":
                size = -(-(size - kernel) // stride) + 1
            case "Scale":
                count += 2 * channels
            case "Crop":
                size = blobs[keys["bottom"][1]][1]
            case "Concat":
                assert len({blobs[name][1] for name in keys["bottom"]}) == 1
                outputs = sum(blobs[name][0] for name in keys["bottom"])
            case "Eltwise":
                assert len({blobs[name] for name in keys["bottom"]}) == 1
        blobs[keys["top"][0]] = outputs, size
    assert blobs["prob"] == (outputs, 256 if outputs == 2 else 1)
    return count

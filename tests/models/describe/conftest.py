"""What the tests of descriptions share: the proof that the network that is built again is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainkit.config import Model
from trainkit.config.yaml_reader import read_text
from trainkit.config.yaml_writer import write_yaml
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.models import build_model, describe_network
from trainkit.models.calls import in_reading_order, is_graph


def randomize(model):
    """Random weights and statistics, of a size that lets signals through."""
    random = np.random.default_rng(5)
    for weight in model.weights:
        name, shape = weight.name.split("/")[-1].split(":")[0], tuple(weight.shape)
        if not weight.dtype.is_floating:
            continue
        if name in ("gamma", "moving_variance", "variance"):
            value = random.uniform(0.5, 1.5, shape)
        elif len(shape) < 2 or name == "bias":
            value = random.normal(0, 0.2, shape)
        else:
            fan_in = np.prod(shape[:2]) if name == "depthwise_kernel" else np.prod(shape[:-1])
            value = random.normal(0, np.sqrt(2 / fan_in), shape)
        weight.assign(value.astype("float32"))
    for layer in model._flatten_layers():
        if isinstance(layer, tf.keras.layers.Normalization):
            layer.finalize_state()


def layers_with_weights(model):
    """In the order in which the outputs depend on them; statistics that become arguments are left out."""
    found = []
    for call in in_reading_order(model):
        inside = layers_with_weights(call.layer) if is_graph(call.layer) else [call.layer]
        found += [layer for layer in inside if layer not in found and type(layer).__name__ != "Normalization"]
    return [layer for layer in found if layer.weights]


def build(section):
    """The network of a `model:` section, by way of its text."""
    text = write_yaml({"model": section})
    plain = read_text(text, source="text", directory=Path()).data["model"]
    assert plain == section
    return build_model(Model.model_validate(plain), {}, name="net")


def answers(model, inputs):
    found = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return [
        np.asarray(item, "float32") for item in (found.values() if isinstance(found, dict) else tf.nest.flatten(found))
    ]


@pytest.fixture
def same_network(tmp_path):
    """Save a model with random weights, describe it, build it again with the same weights, and compare."""

    def prove(model, *inputs, suffix=".keras"):
        randomize(model)
        read, section = model, describe_network(model)
        if suffix:
            filepath = tmp_path / f"model{suffix}"
            model.save(filepath)
            read = KerasPredictor(filepath).model
            assert describe_network(read) == section
        built = build(section)
        old, new = layers_with_weights(read), layers_with_weights(built)
        assert [type(layer) for layer in old] == [type(layer) for layer in new]
        for source, target in zip(old, new, strict=True):
            target.set_weights(source.get_weights())
        given = [np.asarray(item) for item in inputs]
        pairs = list(zip(answers(model, given), answers(built, given), strict=True))
        assert pairs
        for expected, received in pairs:
            spread = np.ptp(expected, axis=0).max()  # between samples: a network that is deaf proves nothing
            assert spread > 1e-4
            np.testing.assert_allclose(received, expected, rtol=0, atol=1e-5 * max(spread, np.ptp(expected)))
        return section

    return prove

"""Node -> Keras object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainkit.config import Node, NodeError
from trainkit.config.parse import parse_node
from trainkit.errors import DataError
from trainkit.framework import tf
from trainkit.objects import build, build_registered, first_sentence
from trainkit.registry import Registry


def node(kind, written):
    parsed, problems = parse_node(written, kind)
    assert not problems, problems
    return parsed


def test_build_passes_arguments_to_keras():
    layer = build(node("layer", {"Conv2D": {"filters": 3, "kernel_size": [1, 5]}}), {}, name="first")
    assert isinstance(layer, tf.keras.layers.Conv2D)
    assert (layer.name, layer.filters, layer.kernel_size) == ("first", 3, (1, 5))


def test_build_takes_the_name_that_the_node_was_given():
    assert build(node("metric", {"SparseTopKCategoricalAccuracy": {"k": 3}, "name": "top3"}), {}).name == "top3"


def test_build_computes_expressions():
    layer = build(node("layer", {"Rescaling": {"scale": "$(1/255)", "offset": ["$classes", 0]}}), {"classes": 4})
    assert layer.scale == 1 / 255
    assert layer.offset == [4, 0]


def test_build_builds_what_stands_among_the_arguments():
    layer = build(node("layer", {"Dense": {"units": 2, "kernel_regularizer": {"L2": {"l2": 0.25}}}}), {})
    layer.build((None, 3))
    assert float(layer.kernel_regularizer(tf.ones((2, 2)))) == 1.0


def test_build_fills_in_the_length_of_the_training():
    schedule = build(node("schedule", {"CosineDecay": {"initial_learning_rate": 2.0}}), {"steps": 100})
    np.testing.assert_allclose([schedule(0), schedule(50), schedule(100)], [2.0, 1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("written", "argument", "told"),
    [
        ({"Dense": {"units": -1}}, "units", r"Dense refuses its arguments: .*Received: units=-1"),
        (
            {"Dense": {"units": 3, "activation": "rleu"}},
            "activation",
            r"Dense: unknown activation 'rleu'\. Did you mean 'relu'\?",
        ),
        ({"Conv2D": {"filters": -3, "kernel_size": 5}}, "filters", "Received filters=-3"),
        ({"Dense": {"units": "$(1//0)"}}, "units", "cannot be computed"),
    ],
    ids=["type", "identifier", "range", "expression"],
)
def test_build_says_which_argument_keras_refuses(written, argument, told):
    with pytest.raises(NodeError, match=told) as caught:
        build(node("layer", written), {})
    assert caught.value.argument == argument


def test_build_registered_makes_texts_paths():
    registry = Registry("source", {})
    registry.add("Idx", lambda *, images, labels, extra: (images, labels, extra))
    source = Node("source", "Idx", {"images": "/a.gz", "labels": "/b.gz"})
    assert build_registered(source, registry, {}, extra=5) == (Path("/a.gz"), Path("/b.gz"), 5)


def test_build_registered_places_the_errors_of_the_input():
    registry = Registry("source", {})

    def refuse(**arguments):
        raise DataError("row 3 is bad.")

    registry.add("Sample", refuse)
    source = Node("source", "Sample")
    with pytest.raises(NodeError, match=r"row 3 is bad\.") as caught:
        build_registered(source, registry, {})
    assert caught.value.node is source


def test_first_sentence_of_a_failure_inside_autograph_is_the_failure():
    @tf.function
    def fail(x):
        if tf.shape(x)[0] > 0:
            raise ValueError("a layer: must be\nsomething else. See above.")
        return x

    with pytest.raises(ValueError, match="in user code:") as caught:
        fail(tf.zeros(3))
    assert first_sentence(caught.value) == "a layer: must be something else. See above"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("{{function_node __wrapped__Sum}} Invalid axis 5. [Op:Sum] name: ", "Invalid axis 5"),
        (
            "Negative dimension for '{{node net/pool}} = MaxPool[T=float](x)' with input shapes: [?,2].",
            "Negative dimension",
        ),
        ("Exception encountered when calling layer 'a'.\n\n{{node a/b}}\nnot 2-D\n\nCall arguments:\n  • x", "not 2-D"),
        ("", "ValueError"),
    ],
    ids=["operation", "node", "call", "nothing"],
)
def test_first_sentence_leaves_out_calls_and_the_names_of_nodes(message, told):
    assert first_sentence(ValueError(message)) == told

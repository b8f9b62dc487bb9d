"""The networks of the zoo see what those of tf.keras.applications see; a change to their files is noticed."""

from __future__ import annotations

import importlib
import re
from functools import cache

import numpy as np
import pytest

from trainkit.config import NodeError
from trainkit.config.zoo import zoo_files
from trainkit.framework import tf

SIZE = 75
"""Of the images: 38, 19, 10, 5, 3 further down, so that odd and even maps are padded."""
LIMIT = 1e-4
"""Of the spread of the features."""
CHANGES = {
    r"strides: (1)\b": "2",
    r"strides: (2)\b": "1",
    r"strides: (\$\w+)": "1",
    r"^ +s: .*?\b(1)\b": "2",
    r"^ +s: .*?\b(2)\b": "1",
    r"\bs: \[.*\b(2)\]": "1",
    r"epsilon: (1\.001e-5)": "1e-3",
    r"- (BatchNormalization)$": "BatchNormalization: {epsilon: 1e-5}",
    r"- (ReLU)$": "ReLU: {negative_slope: 0.1}",
    r"max_value: (6)": "100",
    r"activation: (relu)": "elu",
    r"activation: (softmax)": "sigmoid",
    r"padding: (3|1)\}": "[[0, 2], [0, 2]]",
    r"padding: (\[\[0, 1\], \[0, 1\]\])": "[[1, 0], [1, 0]]",
    r"pool_size: (3)": "2",
}
"""What may be written wrong, and how."""


def resnet(depths):
    """A ResNet of Keras; of other depths than those published where that is quicker."""
    keras = importlib.import_module(tf.keras.applications.ResNet50.__module__)

    def stages(x):
        for number, depth in enumerate(depths):
            x = keras.stack1(x, 64 * 2**number, depth, stride1=min(number + 1, 2), name=f"stage{number}")
        return x

    return keras.ResNet(stages, False, True, "resnet", False, weights=None, input_shape=(SIZE, SIZE, 3))


def application(name, **arguments):
    make = getattr(tf.keras.applications, name)
    return make(**{"weights": None, "include_top": False, "input_shape": (SIZE, SIZE, 3), **arguments})


SMALL = {"depths": [2, 1, 1, 1]}
TOP = {"include_top": True, "classes": 10}
TWINS = {
    "ResNet": ("ResNet50", SMALL, SIZE, lambda: resnet([2, 1, 1, 1])),
    "ResNet50": ("ResNet50", {}, SIZE, lambda: application("ResNet50")),
    "ResNet101": ("ResNet101", {}, SIZE, lambda: application("ResNet101")),
    "ResNet152": ("ResNet152", {}, SIZE, lambda: application("ResNet152")),
    "MobileNetV1": ("MobileNetV1", {}, SIZE, lambda: application("MobileNet")),
    "MobileNetV2": ("MobileNetV2", {}, SIZE, lambda: application("MobileNetV2")),
    "MobileNetV1-0.25": ("MobileNetV1", {"alpha": 0.25}, SIZE, lambda: application("MobileNet", alpha=0.25)),
    "MobileNetV2-0.35": ("MobileNetV2", {"alpha": 0.35}, SIZE, lambda: application("MobileNetV2", alpha=0.35)),
    "VGG16": ("VGG16", {}, SIZE, lambda: application("VGG16")),
    "VGG16-top": ("VGG16", TOP, 32, lambda: application("VGG16", input_shape=(32, 32, 3), **TOP)),
}
"""Network of the zoo, its arguments, the size of the images, the network of Keras."""
SLOW = ("ResNet101", "ResNet152", "MobileNetV1-0.25", "MobileNetV2-0.35")
TO_CHANGE = ("ResNet", "MobileNetV1", "MobileNetV2", "VGG16-top")


@cache
def images(size):
    random = np.random.default_rng(11)
    colours = random.normal(size=(4, 1, 1, 3)) * [[[[1]]], [[[2]]], [[[4]]], [[[8]]]]
    return (random.normal(size=(4, size, size, 3)) + colours).astype("float32")


@cache
def reference(twin):
    """A network of Keras with random weights and statistics, and its features."""
    size, make = TWINS[twin][2:]
    model = make()
    randomise(model, images(size))
    return model, model(images(size)).numpy()


def randomise(model, given):
    """Give a network weights that keep the features alive: statistics near to those that it meets, none 0 or 1."""
    random = np.random.default_rng(5)
    norms = [layer for layer in model.layers if isinstance(layer, tf.keras.layers.BatchNormalization)]
    for layer in model.layers:
        if layer in norms:
            layer.gamma.assign(random.uniform(1, 3, layer.gamma.shape))
            layer.beta.assign(random.normal(0, 0.3, layer.beta.shape))
            layer.momentum = 0.0  # so that one call leaves the statistics of `given`
        elif layer.weights:
            kernel, *bias = layer.get_weights()
            layer.set_weights([1.4 * kernel, *(random.normal(0, 0.1, item.shape) for item in bias)])
    if norms:
        model(given, training=True)
    for layer in norms:
        layer.moving_mean.assign_add(random.normal(0, 0.1, layer.beta.shape) * np.sqrt(layer.moving_variance))
        layer.moving_variance.assign(random.uniform(0.8, 1.25, layer.beta.shape) * layer.moving_variance)


def copy_weights(source, target):
    """Layer by layer, in their order."""
    pairs = list(zip(*([layer for layer in model.layers if layer.weights] for model in (source, target)), strict=True))
    assert pairs
    for theirs, ours in pairs:
        assert type(theirs) is type(ours)
        assert [item.shape for item in theirs.weights] == [item.shape for item in ours.weights]
        ours.set_weights(theirs.get_weights())


def difference(model, twin):
    """The largest, as a part of the spread of the features; infinite where their shapes differ."""
    source, features = reference(twin)
    copy_weights(source, model)
    ours = model(images(TWINS[twin][2])).numpy()
    return np.abs(ours - features).max() / features.std() if ours.shape == features.shape else np.inf


def build(network, twin, **others):
    name, arguments, size, _ = TWINS[twin]
    return network(name, zeros=True, shape=[size, size, 3], **{"include_top": False, **arguments, **others})


@pytest.mark.parametrize(
    "twin", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in TWINS]
)
def test_network_sees_what_that_of_keras_sees(twin, network):
    features = reference(twin)[1]
    assert np.isfinite(features).all()
    assert features.std(axis=0).mean() > 0.1 * features.std()  # another image has other features
    assert difference(build(network, twin), twin) <= LIMIT


def changes(twin):
    """The file of a network with one thing changed, for each line where one can be."""
    text = zoo_files()[TWINS[twin][0]].read_text()
    start = text.index("\nblocks:")
    for pattern, other in CHANGES.items():
        if "softmax" in pattern and not TWINS[twin][1].get("include_top"):
            continue
        marks = pytest.mark.slow if twin == "MobileNetV2" and re.search("strides|s:", pattern) else ()
        for match in re.finditer(pattern, text, flags=re.MULTILINE):
            if match.start() > start:
                line = text.count("\n", 0, match.start(1)) + 1
                changed = text[: match.start(1)] + other + text[match.end(1) :]
                yield pytest.param(twin, changed, id=f"{twin}-line{line}-{match[0].strip()}", marks=marks)


CHANGED = [case for twin in TO_CHANGE for case in changes(twin)]


@pytest.mark.parametrize("twin", TO_CHANGE)
def test_changes_are_made_to_every_line_that_has_one(twin):
    lines = zoo_files()[TWINS[twin][0]].read_text().partition("\nblocks:")[2].splitlines()
    kinds = re.compile(r"strides: [^r]|^ +s: |epsilon|BatchNormalization|ReLU|activation: r|ZeroPadding|pool_size")
    changed = [case.id for case in CHANGED if case.id.startswith(f"{twin}-")]
    assert len(changed) >= sum(bool(kinds.search(line)) for line in lines)


@pytest.mark.parametrize(("twin", "text"), CHANGED)
def test_network_that_is_changed_sees_something_else(twin, text, network, tmp_path):
    (tmp_path / "changed.yaml").write_text(text)
    try:
        found = difference(build(network, twin, file=tmp_path / "changed.yaml"), twin)
    except NodeError:  # its layers do not fit together
        return
    assert found > LIMIT

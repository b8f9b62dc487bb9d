"""Tests of the table in `trainkit.data.augment`: what everything in it has in common."""

from __future__ import annotations

import inspect
import subprocess
import sys
from types import NoneType
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from trainkit.data.augment import AUGMENTATIONS
from trainkit.framework import tf

ARGUMENTS = {
    "RandomFlip": {},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": [-0.1, 0.4]},
    "RandomRotation": {"factor": 0.5},
    "RandomZoom": {"height_factor": 0.3},
    "RandomContrast": {"factor": 0.4},
    "RandomBrightness": {"factor": 0.3},
    "Cutout": {},
    "MixUp": {},
    "CutMix": {},
}
MIXING = {"MixUp", "CutMix"}
SAMPLEWISE = sorted(ARGUMENTS.keys() - MIXING)
SHAPES = [(28, 28, 1), (9, 7, 3), (40, 33, 2)]


def make(name):
    return AUGMENTATIONS.get(name)(**ARGUMENTS[name])


def augment(name, images, keys):
    return make(name)(images, {}, keys)[0].numpy()


def test_table_is_tested_whole():
    assert set(AUGMENTATIONS) == set(ARGUMENTS)


def test_table_is_read_without_tensorflow():
    code = "import sys; from trainkit.data.augment import AUGMENTATIONS; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ARGUMENTS)
def test_class_is_called_as_in_the_table(name):
    assert AUGMENTATIONS.get(name).__name__ == name
    assert AUGMENTATIONS.get(name).mixes is (name in MIXING)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_are_of_types_that_a_config_knows(name):
    parameters = list(inspect.signature(AUGMENTATIONS.get(name)).parameters.values())
    assert parameters
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}
    hints = get_type_hints(AUGMENTATIONS.get(name).__init__)
    for parameter in parameters:
        hint = hints[parameter.name]
        parts = {hint} if get_origin(hint) in (None, Literal, list) else set(get_args(hint))
        assert all(part in (float, int, list[float], NoneType) or get_origin(part) is Literal for part in parts)


@pytest.mark.parametrize("name", SAMPLEWISE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_picture_does_not_depend_on_the_batch(make_images, make_keys, name, shape):
    images = make_images(37, *shape, most=255.0)
    whole = augment(name, images, make_keys(37))
    order = np.random.default_rng(1).permutation(37)
    mixed = augment(name, tf.gather(images, order), make_keys(indices=order))
    np.testing.assert_array_equal(mixed, whole[order])
    single = augment(name, images[20:21], make_keys(indices=[20]))
    np.testing.assert_array_equal(single, whole[20:21])


@pytest.mark.parametrize("name", ARGUMENTS)
def test_epoch_and_index_change_the_picture(make_images, make_keys, name):
    images = tf.tile(make_images(2, 16, 16, 3, most=255.0), [20, 1, 1, 1])  # two pictures in turn
    first, second = (augment(name, images, make_keys(40, epoch=epoch)) for epoch in (0, 1))
    assert (first != second).any()
    np.testing.assert_array_equal(first, augment(name, images, make_keys(40, epoch=0)))
    assert len({picture.tobytes() for picture in first[::2]}) > 2


@pytest.mark.parametrize("name", SAMPLEWISE)
def test_targets_stay_as_they_are(make_images, make_keys, name):
    targets = {"target": tf.range(5)}
    assert make(name)(make_images(5), targets, make_keys(5))[1] is targets


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("batch", [4, None], ids=["batch of 4", "any batch"])
def test_shape_and_type_are_known_in_a_graph(make_images, make_keys, name, batch):
    step, targets = make(name), {"target": tf.eye(4)}
    signature = [
        tf.TensorSpec((batch, 9, 7, 3)),
        {"target": tf.TensorSpec((batch, 4))},
        tf.TensorSpec((batch,), tf.uint64),
    ]
    function = tf.function(step.__call__, input_signature=signature)
    pictures, mixed = function.get_concrete_function().structured_outputs
    assert (pictures.dtype, pictures.shape.as_list()) == (tf.float32, [batch, 9, 7, 3])
    assert mixed["target"].shape.as_list() == [batch, 4]
    expected = step(make_images(4), targets, make_keys(4))[0]
    np.testing.assert_allclose(function(make_images(4), targets, make_keys(4))[0], expected, atol=1e-5)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_size_of_the_image_may_be_unknown(make_images, make_keys, name):
    step = make(name)
    function = tf.function(lambda images, keys: step(images, {}, keys)[0])
    shape = [tf.TensorSpec((None, None, None, 3)), tf.TensorSpec((None,), tf.uint64)]
    pictures = function.get_concrete_function(*shape)(make_images(4), make_keys(4))
    np.testing.assert_allclose(pictures, augment(name, make_images(4), make_keys(4)), atol=1e-5)

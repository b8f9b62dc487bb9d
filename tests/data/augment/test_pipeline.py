"""Tests of `trainkit.data.augment.pipeline`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.brightness import RandomBrightness
from trainkit.data.augment.cutmix import CutMix
from trainkit.data.augment.cutout import Cutout
from trainkit.data.augment.flip import RandomFlip
from trainkit.data.augment.mixup import MixUp
from trainkit.data.augment.pipeline import Augment
from trainkit.data.augment.rotation import RandomRotation
from trainkit.framework import tf


def run(steps, images, *, seed=3, epoch=0, indices=None):
    indices = tf.range(len(images), dtype=tf.int64) if indices is None else tf.constant(indices, tf.int64)
    return Augment(steps, seed=seed)(images, {}, epoch=tf.constant(epoch, tf.int64), indices=indices)[0].numpy()


def test_no_step_gives_the_images_as_float32():
    images = tf.constant(np.arange(24).reshape(2, 2, 2, 3), tf.uint8)
    pictures = run([], images)
    assert pictures.dtype == np.float32
    np.testing.assert_array_equal(pictures, images)


def test_steps_are_done_in_order(make_images):
    white, hide = RandomBrightness(factor=[1, 1], value_range=[0, 1]), Cutout(size_factor=1)
    assert run([white, hide], make_images(2)).min() == 0
    assert run([hide, white], make_images(2)).min() == 1


def test_same_step_has_other_numbers_in_another_place(make_images):
    flip = RandomFlip(mode="horizontal")
    images = make_images(400)
    once, twice = run([flip], images), run([flip, flip], images)
    stays = (twice == images.numpy()).all((1, 2, 3))
    assert 0.4 < stays.mean() < 0.6  # always, were the numbers the same
    assert (once != twice).any()


@pytest.mark.parametrize("other", [{"seed": 4}, {"epoch": 1}], ids=["seed", "epoch"])
def test_seed_and_epoch_change_the_pictures(make_images, other):
    steps = [RandomFlip(), RandomRotation(factor=0.1), Cutout()]
    before, after = run(steps, make_images(20)), run(steps, make_images(20), **other)
    assert (before != after).any((1, 2, 3)).all()


def test_picture_is_a_function_of_seed_epoch_and_index(make_images):
    steps = [RandomFlip(), RandomRotation(factor=0.1), RandomBrightness(factor=0.2), Cutout()]
    images, order = make_images(20), [13, 2, 7]
    np.testing.assert_array_equal(
        run(steps, tf.gather(images, order), epoch=5, indices=order), run(steps, images, epoch=5)[order]
    )


@pytest.mark.parametrize(
    "steps, mixes",
    [([], False), ([RandomFlip()], False), ([RandomFlip(), MixUp()], True), ([CutMix(), Cutout()], True)],
    ids=["none", "flip", "mixup", "cutmix"],
)
def test_pipeline_mixes_if_a_step_does(steps, mixes):
    assert Augment(steps, seed=1).mixes is mixes


def test_dataset_is_augmented_in_a_graph(make_images):
    images, labels = make_images(20), tf.one_hot(tf.range(20) % 4, 4)
    augment = Augment([RandomFlip(), RandomRotation(factor=0.1), MixUp()], seed=3)
    is_eager = []

    def step(epoch, indices):
        is_eager.append(tf.executing_eagerly())
        batch = tf.gather(images, indices), {"target": tf.gather(labels, indices)}
        return augment(*batch, epoch=epoch, indices=indices)

    indices = tf.data.Dataset.range(20).batch(8)
    epochs = tf.data.Dataset.range(2).flat_map(lambda epoch: indices.map(lambda batch: (epoch, batch)))
    batches = list(epochs.map(step, num_parallel_calls=2))
    assert is_eager == [False]
    assert [len(pictures) for pictures, _ in batches] == [8, 8, 4] * 2
    expected = augment(
        images[8:16],
        {"target": labels[8:16]},
        epoch=tf.constant(1, tf.int64),
        indices=tf.range(8, 16, dtype=tf.int64),
    )
    np.testing.assert_allclose(batches[4][0], expected[0], atol=1e-5)
    np.testing.assert_allclose(batches[4][1]["target"], expected[1]["target"], atol=1e-6)

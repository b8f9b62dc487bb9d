"""What training makes of the batches of a split."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.training import prepare
from trainkit.training.pipeline import encoding

SMALL = [
    "training.loss=CategoricalCrossentropy",
    "training.metrics=[CategoricalAccuracy]",
    "data.batch_size=8",
    "model.layers=[{AveragePooling2D: {pool_size: 14}}, Flatten, {Dense: {units: 10}, name: digit}]",
]


@pytest.fixture
def digits(small_config):
    """Prepare the config of the digits with overrides."""
    return lambda *overrides: prepare(load_config(small_config, overrides))


def first_batch(prepared, **options):
    split, experiment = prepared.splits.train, prepared.config.experiment
    batches = split.batches(experiment.data.batch_size, seed=experiment.seed, **options)
    return next(iter(batches.as_numpy_iterator()))


def test_training_change_makes_vectors_of_class_ids(digits):
    prepared = digits(*SMALL)
    inputs, targets, weights = first_batch(prepared, change=prepared.change)
    plain, ids, _ = first_batch(prepared)
    np.testing.assert_array_equal(targets["digit"], np.eye(10)[ids["digit"]])
    np.testing.assert_array_equal(inputs["input"], plain["input"])
    assert weights == {}


def test_encoded_makes_vectors_of_class_ids_for_validation(digits):
    prepared = digits(*SMALL)
    validation = prepared.splits.validation
    (_, targets, _), *_ = validation.ordered(100, change=encoding(prepared.outputs)).as_numpy_iterator()
    np.testing.assert_array_equal(targets["digit"], np.eye(10)[validation.labels("digit")[:100]])


def test_there_is_no_change_where_none_is_asked_for(digits):
    prepared = digits()
    assert prepared.change is None
    assert encoding(prepared.outputs) is None


def test_training_change_augments_images_and_leaves_class_ids(digits):
    prepared = digits("data.augment=[RandomFlip: {mode: horizontal}]", "data.batch_size=64")
    inputs, targets, _ = first_batch(prepared, change=prepared.change)
    plain, ids, _ = first_batch(prepared)
    np.testing.assert_array_equal(targets["digit"], ids["digit"])
    pairs = zip(inputs["input"], plain["input"], strict=True)
    flipped = [np.array_equal(image, before[:, ::-1]) for image, before in pairs]
    assert 10 < sum(flipped) < 54
    kept = np.array([np.array_equal(*pair) for pair in zip(inputs["input"], plain["input"], strict=True)])
    assert (kept | np.array(flipped)).all()


@pytest.mark.parametrize("augmentation", ["MixUp", "CutMix"])
def test_training_change_mixes_targets_as_it_mixes_images(augmentation, digits):
    """Each target holds shares of two classes; MixUp's are those of the pixels."""
    prepared = digits(*SMALL, f"data.augment=[{augmentation}]", "data.batch_size=64")
    inputs, targets, _ = first_batch(prepared, change=prepared.change)
    plain, ids, _ = first_batch(prepared)
    one_hot = np.eye(10)[ids["digit"]]
    np.testing.assert_allclose(targets["digit"].sum(axis=1), 1, rtol=1e-6)
    differ = ids["digit"] != np.roll(ids["digit"], 1)
    kept = np.where(differ, (targets["digit"] * one_hot).sum(axis=1), 1)
    assert ((kept > 0.01) & (kept < 0.99)).sum() > 10
    partners = np.roll(one_hot, 1, axis=0)
    mixed = kept[:, None] * one_hot + (1 - kept[:, None]) * partners
    np.testing.assert_allclose(targets["digit"], mixed, atol=1e-6)
    if augmentation == "MixUp":
        shares = kept[differ, None, None, None]
        images = shares * plain["input"][differ] + (1 - shares) * np.roll(plain["input"], 1, axis=0)[differ]
        np.testing.assert_allclose(inputs["input"][differ], images, atol=1e-2)


@pytest.mark.parametrize("augmentation", ["MixUp", "CutMix"])
def test_training_change_refuses_to_mix_class_ids(augmentation, digits):
    told = (
        rf"data\.augment\[1\]: {augmentation} mixes labels, which SparseCategoricalCrossentropy does not take\. "
        r"Use the loss CategoricalCrossentropy \(and metrics for it: CategoricalAccuracy\)\."
    )
    with pytest.raises(ConfigError, match=told):
        digits(f"data.augment=[RandomFlip, {augmentation}]")


def test_training_change_refuses_to_augment_what_is_no_image(two_config):
    told = r"data\.augment: needs an input of images: \[height, width, channels\]\."
    with pytest.raises(ConfigError, match=told):
        prepare(load_config(two_config, ["data.augment=[RandomFlip]"]))


@pytest.fixture
def pair(tmp_path):
    """Prepare a config with two images and a table as inputs."""
    images = np.arange(20 * 4 * 4 * 3, dtype=np.float32).reshape(20, 4, 4, 3)
    np.savez(
        tmp_path / "pair.npz",
        left=images,
        right=images + 7,
        row=np.arange(40, dtype=np.float32).reshape(20, 2),
        kind=np.arange(20) % 2,
    )
    written = {
        "version": 1,
        "name": "pair",
        "data": {"source": {"Npz": {"path": str(tmp_path / "pair.npz"), "target": "kind"}}, "batch_size": 8},
        "model": {
            "inputs": {"left": {"shape": [4, 4, 3]}, "right": {"shape": [4, 4, 3]}, "row": {"shape": [2]}},
            "layers": [
                {"Subtract": None, "inputs": ["left", "right"]},
                "Flatten",
                {"Concatenate": None, "inputs": ["x", "row"]},
                {"Dense": {"units": 2}, "name": "kind"},
            ],
        },
        "training": {"loss": "CategoricalCrossentropy"},
    }
    return lambda *overrides: prepare(load_config(written, overrides))


def test_training_change_augments_all_images_alike_and_nothing_else(pair):
    """A pair of images that belong together must be flipped together."""
    prepared = pair("data.augment=[RandomFlip]")
    inputs, _, _ = first_batch(prepared, change=prepared.change)
    plain, _, _ = first_batch(prepared)
    assert not np.array_equal(inputs["left"], plain["left"])
    np.testing.assert_array_equal(inputs["right"], inputs["left"] + 7)
    np.testing.assert_array_equal(inputs["row"], plain["row"])


def test_training_change_refuses_to_mix_several_images(pair):
    with pytest.raises(ConfigError, match=r"data\.augment\[0\]: MixUp mixes the images of one input; here are 2\."):
        pair("data.augment=[MixUp]")


def test_training_change_refuses_arguments_with_their_place(digits):
    with pytest.raises(ConfigError, match=r"data\.augment\[1\].*`?alpha`? must be .*Received: alpha=-1\.0"):
        digits(*SMALL, "data.augment=[RandomFlip, MixUp: {alpha: -1.0}]")

"""The picture of samples: its tiles are what the training sees."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.errors import ConfigError, OutputError
from trainkit.training import contact_sheet
from trainkit.training.contact_sheet import GAP, LINE, write_contact_sheet

SHEET = """\
version: 1
name: sheet
seed: 5
data:
  source: {Npz: {path: sheet.npz, target: kind, classes: [cat, dog, eel]}}
  inputs: image
  validation_split: 0.2
  batch_size: 8
model:
  input: [12, 16, 3]
  layers:
    - Flatten
    - Dense: {units: $classes, activation: softmax}
training:
  loss: CategoricalCrossentropy
"""
FLIP = "data.augment=[{RandomFlip: {mode: horizontal}}, {RandomTranslation: {height_factor: 0.2, width_factor: 0.2}}]"
NUMBERS = ["training.loss=MeanSquaredError", "model.layers=[Flatten, {Dense: {units: 1}}]"]
TIMES = 8
"""Images of 12 pixels are magnified to 96."""


@pytest.fixture
def read(tmp_path):
    """The config of a sheet, with overrides; random images of bytes."""
    images = np.random.default_rng(9).integers(0, 256, (30, 12, 16, 3), np.uint8)
    np.savez(tmp_path / "sheet.npz", image=images, kind=np.arange(30) % 3, number=np.arange(30.0))
    (tmp_path / "sheet.yaml").write_text(SHEET)
    return lambda *overrides: load_config(tmp_path / "sheet.yaml", overrides)


@pytest.fixture
def draw(read, tmp_path):
    """Write a sheet; its tiles, shape `(rows, columns, height, width, 3)`."""

    def draw(*overrides, samples=4, epochs=2):
        filepath = write_contact_sheet(read(*overrides), tmp_path / "sheet.png", samples=samples, epochs=epochs)
        assert filepath == tmp_path / "sheet.png"
        with Image.open(filepath) as image:
            assert (image.format, image.mode) == ("PNG", "RGB")
            return tiles(np.asarray(image))

    return draw


def tiles(sheet, height=12 * TIMES, width=16 * TIMES):
    row, column = height + 2 * LINE + GAP, width + GAP
    rows, columns = (sheet.shape[0] - GAP) // row, (sheet.shape[1] - GAP) // column
    assert sheet.shape == (rows * row + GAP, columns * column + GAP, 3)
    cut = [[sheet[GAP + r * row :, GAP + c * column :][:height, :width] for c in range(columns)] for r in range(rows)]
    return np.array(cut)


def first_samples(config, count):
    """What the first epoch begins with, without any change."""
    train = load_data(config).train
    inputs, targets, _ = next(iter(train.batches(count, seed=config.experiment.seed).as_numpy_iterator()))
    return inputs["input"].astype(np.uint8), next(iter(targets.values()))


def magnified(images, times=TIMES):
    return images.repeat(times, axis=-3).repeat(times, axis=-2)


def test_first_column_is_the_samples_as_they_are(draw, read):
    images, _ = first_samples(read(), 4)
    drawn = draw(FLIP)
    assert drawn.shape[:2] == (4, 3)
    np.testing.assert_array_equal(drawn[:, 0], magnified(images))


def test_without_augmentation_there_is_one_column(draw, read):
    images, _ = first_samples(read(), 6)
    drawn = draw("training.loss=SparseCategoricalCrossentropy", samples=6)
    assert drawn.shape[:2] == (6, 1)
    np.testing.assert_array_equal(drawn[:, 0], magnified(images))


def test_augmented_tiles_are_what_each_epoch_sees(draw, read):
    """A flip leaves an image or turns it around; which, is another draw each epoch."""
    images, _ = first_samples(read(), 8)
    drawn = draw("data.augment=[{RandomFlip: {mode: horizontal}}]", samples=8, epochs=3)
    as_it_is, flipped = magnified(images), magnified(images[:, :, ::-1])
    turned = [
        [(drawn[row, epoch] == flipped[row]).all() for row in range(8)]
        for epoch in (1, 2, 3)
        if all((drawn[r, epoch] == as_it_is[r]).all() or (drawn[r, epoch] == flipped[r]).all() for r in range(8))
    ]
    assert len(turned) == 3
    assert len(set(map(tuple, turned))) == 3


def test_augmented_tiles_change_between_epochs_and_not_between_calls(draw):
    first = draw(FLIP)
    assert not (first[:, 1] == first[:, 2]).all()
    assert not (first[:, 0] == first[:, 1]).all()
    np.testing.assert_array_equal(draw(FLIP), first)
    assert not (draw(FLIP, "seed=6") == first).all()


def test_more_samples_than_there_are_become_all_of_them(draw):
    assert draw(samples=100).shape[:2] == (24, 3)


@pytest.fixture
def labels(draw, monkeypatch):
    """The labels of a sheet, row by row, each with its title."""
    told = []
    cut = contact_sheet._cut
    monkeypatch.setattr(contact_sheet, "_cut", lambda text, *rest: told.append(text) or cut(text, *rest))

    def labels(*overrides, **arguments):
        draw(*overrides, **arguments)
        return list(zip(told[::2], told[1::2], strict=True))

    return labels


def test_label_is_the_class(labels, read):
    names = [("cat", "dog", "eel")[kind] for kind in first_samples(read(), 4)[1]]
    told = labels(FLIP, epochs=1)
    assert told[::2] == [("as it is", name) for name in names]
    assert told[1::2] == [("epoch 1", name) for name in names]


def test_label_of_mixed_samples_tells_the_share_of_each_class(labels, read):
    _, kinds = first_samples(read(), 4)
    told = labels("data.augment=[{MixUp: {alpha: 5}}]", epochs=1)[1::2]
    assert [title for title, _ in told] == ["epoch 1"] * 4
    mixed = [re.findall(r"(\d+)% (\w+)", label) or [("100", label)] for _, label in told]
    for shares, kind in zip(mixed, kinds, strict=True):
        assert ("cat", "dog", "eel")[kind] in [name for _, name in shares]
        assert sum(int(share) for share, _ in shares) == pytest.approx(100, abs=1)
        assert shares == sorted(shares, key=lambda pair: -int(pair[0]))
    assert any(len(shares) == 2 for shares in mixed)


def test_label_of_numbers_is_the_numbers(labels):
    told = labels("data.source.classes=null", "data.source.target=number", "data.targets=number", *NUMBERS, samples=2)
    assert all(float(label) in range(30) for _, label in told)


def test_grey_images_and_those_of_other_ranges_are_drawn(tmp_path):
    values = np.linspace(-1, 1, 20 * 100 * 120, dtype=np.float32).reshape(20, 100, 120, 1)
    np.savez(tmp_path / "sheet.npz", image=values, kind=np.arange(20) % 3)
    (tmp_path / "sheet.yaml").write_text(SHEET.replace("[12, 16, 3]", "[100, 120, 1]"))
    config = load_config(tmp_path / "sheet.yaml", ["training.loss=SparseCategoricalCrossentropy"])
    write_contact_sheet(config, tmp_path / "sheet.png", samples=3)
    with Image.open(tmp_path / "sheet.png") as image:
        drawn = tiles(np.asarray(image), 100, 120)
    assert drawn.shape[:2] == (3, 1)
    assert [(tile.min(), tile.max()) for tile in drawn[:, 0]] == [(0, 255)] * 3
    assert (drawn[..., 0] == drawn[..., 2]).all()


def test_data_without_images_are_told_with_the_place(tmp_path):
    np.savez(tmp_path / "flat.npz", x=np.zeros((20, 5), np.float32), kind=np.arange(20) % 3)
    text = SHEET.replace("sheet.npz", "flat.npz").replace("inputs: image", "inputs: x").replace("[12, 16, 3]", "[5]")
    (tmp_path / "flat.yaml").write_text(text)
    with pytest.raises(
        ConfigError,
        match=r"flat\.yaml: 1 problem\n  5:11 +data\.source: has no images and no sequences",
    ):
        write_contact_sheet(load_config(tmp_path / "flat.yaml"), tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()


def test_sheet_takes_the_place_of_an_old_one_or_leaves_it(read, tmp_path, monkeypatch):
    (tmp_path / "sheet.png").write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("trainkit.runs.atomic.os.replace", full)
        with pytest.raises(OutputError, match=r"sheet\.png cannot be written: No space left on device"):
            write_contact_sheet(read(), tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").read_bytes() == b"old"
    write_contact_sheet(read(), tmp_path / "sheet.png")
    assert Path(tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sheet.npz", "sheet.png", "sheet.yaml"]


def test_sequences_are_drawn_as_they_are_long(tmp_path):
    steps = np.array([[0, 255], [255, 0], [255, 255]], np.uint8)
    np.savez(tmp_path / "data.npz", x=steps, x_lengths=[1, 2], y=[0, 1])
    config = load_config(
        {
            "version": 1,
            "name": "sheet",
            "data": {"source": {"Npz": {"path": str(tmp_path / "data.npz")}}, "validation_split": 0},
            "model": {"input": [None, 2], "layers": [{"GRU": {"units": 2}}, {"Dense": {"units": 2}}]},
            "training": {"loss": "SparseCategoricalCrossentropy"},
        }
    )
    with Image.open(write_contact_sheet(config, tmp_path / "sheet.png", samples=2)) as sheet:
        drawn = np.asarray(sheet)[..., 0]
    rows = [drawn[GAP + row * (96 + 2 * LINE + GAP) :][:96, GAP : GAP + 96] for row in range(2)]
    one, two = sorted(rows, key=lambda tile: tile[0, 0])
    assert (one == np.repeat([0, 255], 48)[:, None]).all()  # two features, one below the other
    assert (two == np.array([[255, 255], [0, 255]]).repeat(48, 0).repeat(48, 1)).all()  # two steps, side by side

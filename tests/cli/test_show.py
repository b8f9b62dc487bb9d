"""`trainkit show`: the picture, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FLAT = """\
version: 1
name: flat
data:
  source: {Npz: {path: flat.npz, target: kind}}
model: {input: [5], layers: [{Dense: {units: $classes, activation: softmax}}]}
training: {loss: SparseCategoricalCrossentropy}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_show_writes_a_picture_named_after_the_config(command, small_config, here):
    ended = command(
        "show", small_config, "--samples", 3, "--epochs", 2, "data.augment=[{RandomRotation: {factor: 0.1}}]"
    )
    assert (ended.code, ended.out, ended.err) == (0, "small_samples.png\n", "")
    with Image.open("small_samples.png") as image:
        assert image.size == (6 + 3 * (112 + 6), 6 + 3 * (112 + 2 * 13 + 6))
    assert [path.name for path in here.iterdir()] == ["small_samples.png"]


def test_show_takes_the_place_of_the_file_that_is_named(command, small_config, here):
    Path("digits.png").write_bytes(b"old")
    assert command("show", small_config, "--output", "digits.png", "--samples", 1).code == 0
    assert Path("digits.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["flat.yaml"],
            "flat.yaml: 1 problem\n  4:11   data.source: has no images and no sequences of numbers",
        ),
        (["flat.yaml", "--output", "samples.jpg"], "`output` must end with .png. Received: 'samples.jpg'"),
        (["flat.yaml", "--output", "none/samples.png"], "none/samples.png cannot be written: there is no folder"),
        (["flat.yaml", "--samples", "0"], "Invalid value for '--samples'"),
        (["nowhere.yaml"], "the file does not exist"),
    ],
    ids=["no-images", "suffix", "folder", "samples", "missing"],
)
def test_show_ends_with_2_where_the_input_is_wrong(arguments, told, command, here):
    np.savez("flat.npz", x=np.zeros((20, 5), np.float32), kind=np.arange(20) % 3)
    Path("flat.yaml").write_text(FLAT)
    ended = command("show", *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert sorted(path.name for path in here.iterdir()) == ["flat.npz", "flat.yaml"]

"""`trainkit show`: the pictures, errors."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

SVG = "{http://www.w3.org/2000/svg}"
FLAT = """\
version: 1
name: flat
data:
  source: {Npz: {path: flat.npz, target: kind}}
model: {input: [5], layers: [{Dense: {units: $classes, activation: softmax}}]}
training: {loss: SparseCategoricalCrossentropy}
"""


def write_flat():
    """A config whose data are a table, in the working directory."""
    np.savez("flat.npz", x=np.zeros((20, 5), np.float32), kind=np.arange(20) % 3)
    Path("flat.yaml").write_text(FLAT)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_show_draws_network_and_samples_in_files_named_after_the_config(command, small_config, here):
    ended = command(
        "show", small_config, "--samples", 3, "--epochs", 2, "data.augment=[{RandomRotation: {factor: 0.1}}]"
    )
    names = ["small_network.svg", "small_network.png", "small_samples.png"]
    assert (ended.code, ended.out.split(), ended.err) == (0, names, "")
    with Image.open("small_samples.png") as image:
        assert image.size == (6 + 3 * (112 + 6), 6 + 3 * (112 + 2 * 13 + 6))
    texts = [text.text for text in ElementTree.parse("small_network.svg").iter(f"{SVG}text")]
    assert texts[:2] == ["small", "5 layers, 3,826 parameters"]  # 6 × 26 + 12 × 55 + 10 × 301
    assert "Conv2D 6, 5×5, stride 2, relu" in texts
    assert sorted(path.name for path in here.iterdir()) == sorted(names)


def test_show_of_a_run_writes_to_the_folder_that_is_named(command, small_run, here):
    (here / "figures").mkdir()
    (here / "figures" / "small_network.png").write_bytes(b"old")
    ended = command("show", small_run.directory.parent, "--output", "figures", "--only", "network", "--depth", 1)
    assert (ended.code, ended.out) == (0, "figures/small_network.svg\nfigures/small_network.png\n")
    assert (here / "figures" / "small_network.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in here.iterdir()] == ["figures"]


def test_show_only_samples_draws_no_network(command, small_config, here):
    assert command("show", small_config, "--only", "samples", "--samples", 1).out == "small_samples.png\n"
    assert [path.name for path in here.iterdir()] == ["small_samples.png"]


def test_show_draws_the_network_alone_where_the_data_have_no_images(command, here):
    write_flat()
    ended = command("show", "flat.yaml")
    assert (ended.code, ended.out) == (0, "flat_network.svg\nflat_network.png\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["flat.yaml", "--only", "samples"],
            "flat.yaml: 1 problem\n  4:11   data.source: has no images and no sequences of numbers",
        ),
        (["flat.yaml", "--only", "layers"], "Invalid value for '--only'"),
        (["flat.yaml", "--output", "none"], "none/flat_network.svg cannot be written: there is no folder"),
        (["flat.yaml", "--depth", "0"], "Invalid value for '--depth'"),
        (["."], ". is not a run directory"),
        (["flat.yaml", "--samples", "0"], "Invalid value for '--samples'"),
        (["nowhere.yaml"], "the file does not exist"),
    ],
    ids=["no-images", "only", "folder", "depth", "no-run", "samples", "missing"],
)
def test_show_ends_with_2_where_the_input_is_wrong(arguments, told, command, here):
    write_flat()
    ended = command("show", *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert sorted(path.name for path in here.iterdir()) == ["flat.npz", "flat.yaml"]

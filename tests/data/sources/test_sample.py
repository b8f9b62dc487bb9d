"""Tests of the digits that are shipped, and of the tool that makes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trainkit.data import SOURCES
from trainkit.data.sources.sample import FOLDER

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def splits():
    return SOURCES.get("Sample")()


def test_sample_is_small():
    assert sum(filepath.stat().st_size for filepath in FOLDER.iterdir()) <= 2.5e6


def test_licence_names_the_authors():
    licence = (FOLDER / "LICENSE").read_text(encoding="utf-8")
    for part in ("Yann LeCun", "Corinna Cortes", "Burges", "ShareAlike 3.0", "10,000", "2,000"):
        assert part in licence


def test_sizes(splits):
    assert (splits.train.size, splits.test.size) == (10_000, 2_000)
    assert splits.train.columns["image"].field.shape == (28, 28, 1)


def test_each_class_has_its_share_of_the_training_digits(splits):
    # MNIST has 5923 6742 5958 6131 5842 5421 5918 6265 5851 5949; a sixth of each, rounded by largest remainder
    assert np.bincount(splits.train.columns["label"].array).tolist() == [
        987,
        1124,
        993,
        1022,
        974,
        904,
        986,
        1044,
        975,
        991,
    ]


def test_each_class_has_its_share_of_the_test_digits(splits):
    # MNIST has 980 1135 1032 1010 982 892 958 1028 974 1009; a fifth of each, rounded by largest remainder
    assert np.bincount(splits.test.columns["label"].array).tolist() == [
        196,
        227,
        206,
        202,
        196,
        178,
        192,
        206,
        195,
        202,
    ]


def test_digits_are_grey_images_from_0_to_255(splits):
    images = splits.train.columns["image"].array
    assert images.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 255)
    assert images.mean() / 255 == pytest.approx(0.1307, abs=0.002)  # the mean of MNIST, as everybody normalises it


@pytest.mark.parametrize("filepath", sorted(FOLDER.glob("*.gz")), ids=lambda filepath: filepath.name)
def test_files_hold_no_time_and_no_name(filepath):
    assert filepath.read_bytes()[3:8] == bytes(5)  # flags, and the time of four bytes


@pytest.mark.slow
def test_tool_makes_the_shipped_files(full_data, tmp_path):
    tool = [sys.executable, str(ROOT / "tools/make_sample.py"), str(full_data / "mnist"), str(tmp_path)]
    subprocess.run(tool, check=True, capture_output=True)
    made = {filepath.name: filepath.read_bytes() for filepath in tmp_path.iterdir()}
    assert made == {filepath.name: filepath.read_bytes() for filepath in FOLDER.glob("*.gz")}

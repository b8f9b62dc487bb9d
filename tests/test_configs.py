"""Every config that comes with TrainKit: it checks, builds, takes one step; and at full length keeps its word."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import trainkit
from trainkit.config import load_config
from trainkit.data import SOURCES, ArrayColumn, Field, Records, Splits
from trainkit.registry import Registry

CONFIGS = sorted(Path(__file__).parents[1].glob("configs/*.yaml"))
COMPRESSION = sorted(Path(__file__).parents[1].glob("configs/compression/*.yaml"))
README = (Path(__file__).parents[1] / "README.md").read_text()
PROMISED = {
    "mnist_lenet5": 0.991,
    "mnist_lenet300": 0.982,
    "caffe_lenet": 0.99,
    "fashion_cnn": 0.915,
    "fashion_mobilenet": 0.895,
    "sample_lenet5": 0.975,
    "penguins": 0.97,
}


@pytest.fixture
def few_images(monkeypatch):
    """Let every source of images give 120 random ones."""
    generator = np.random.default_rng(1)

    def make(size):
        images = generator.integers(0, 256, (size, 28, 28, 1), dtype=np.uint8)
        labels = ArrayColumn((np.arange(size) % 10).astype(np.int32), Field((), "int32", tuple("0123456789")))
        return Records({"image": ArrayColumn(images, origin="random"), "label": labels}, "label")

    sources = Registry("source", {"Csv": "trainkit.data.sources.csv:csv"})  # whose files are shipped
    for name in set(SOURCES) - set(sources):
        sources.add(name, lambda **arguments: Splits(make(120), test=make(20)))
    monkeypatch.setattr("trainkit.data.load.SOURCES", sources)


def test_configs_are_those_that_promise_something():
    assert {config.stem for config in CONFIGS} == PROMISED.keys()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_config_opens_with_what_it_is_its_command_and_its_result(config):
    comment = re.match(r"(#.*\n)+", config.read_text())[0]
    assert f"trainkit fit configs/{config.name}" in comment
    measured = re.search(r"Measured: (\d\d\.\d+%) test accuracy.*, int8 (\d\d\.\d+%), in (\d+ s)", comment)
    (row,) = [line for line in README.splitlines() if f"`configs/{config.name}`" in line]
    assert [cell.strip() for cell in row.split("|")[3:6]] == list(measured.groups())
    assert load_config(config).experiment.name == config.stem


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_config_trains_one_step(config, few_images, tmp_path):
    overrides = ["training.epochs=1", "training.steps=null", "training.steps_per_epoch=1", "data.batch_size=120"]
    run = trainkit.fit(config, overrides, runs=tmp_path)
    assert run.model.is_file()


def test_configs_of_compression_are_found():
    assert COMPRESSION


@pytest.mark.parametrize("config", COMPRESSION, ids=lambda config: config.stem)
def test_config_of_compression_opens_with_its_commands(config):
    comment = re.match(r"(#.*\n)+", config.read_text())[0]
    assert f"trainkit fit configs/compression/{config.name}" in comment
    assert f"trainkit deploy runs/{config.stem}" in comment
    assert load_config(config).experiment.name == config.stem


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_config_reaches_what_it_promises(config, tmp_path):
    if not os.environ.get("TRAINKIT_DATA"):
        pytest.skip("set TRAINKIT_DATA to the folder of the full data sets")
    run = trainkit.fit(config, runs=tmp_path)
    assert json.loads(run.metrics.read_text())["test"]["accuracy"] >= PROMISED[config.stem]
    deployment = trainkit.deploy(run.directory)
    assert len(deployment.files) == 3
    assert all(file.parity.passed for file in deployment.files)

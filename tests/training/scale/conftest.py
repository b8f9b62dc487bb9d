"""A network with synchronized batch normalization, and what it comes to on one device and on two."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainkit.workers.worker import PROGRAM

EXACT = """\
version: 1
name: exact
seed: 3
data: {source: Sample, batch_size: 128}   # 9,000 samples: 70 batches, and one of 40
model:
  input: [28, 28, 1]
  preprocess:
    - Rescaling: {scale: $(1/255)}
  layers:
    - Flatten
    - Dense: {units: 16}
    - BatchNormalization: {synchronized: true}
    - ReLU
    - Dense: {units: $classes, activation: softmax}
      name: digit
training:
  epochs: 2
  optimizer: {SGD: {learning_rate: 0.05, momentum: 0.9}}
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
deploy: {benchmark: false}
"""


@pytest.fixture(scope="session")
def exact_config(tmp_path_factory):
    filepath = tmp_path_factory.mktemp("exact") / "exact.yaml"
    filepath.write_text(EXACT)
    return filepath


@pytest.fixture(scope="session")
def several_devices(exact_config):
    """Train `exact_config` in several ways, in a process of its own; returns losses and metrics of their epochs."""

    def train(ways, runs):
        command = [sys.executable, str(Path(__file__).with_name("several_devices.py")), str(exact_config), str(runs)]
        done = subprocess.run([*command, *ways], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    return train


@pytest.fixture(scope="session")
def fit_command():
    """Run `trainkit fit` as a user does; returns what it ended with."""

    def fit(*arguments, **options):
        command = [sys.executable, "-c", PROGRAM, "fit", *map(str, arguments)]
        environment = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, env=environment, **pipes, **options)

    return fit


@pytest.fixture
def history_of():
    """Losses and metrics of each epoch of a run."""

    def read(run):
        rows = csv.DictReader(run.history.read_text().splitlines())
        return [{key: float(row[key]) for key in row if key not in ("epoch", "seconds")} for row in rows]

    return read

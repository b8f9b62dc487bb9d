"""What all tests share: fixed seeds, and one small training."""

from __future__ import annotations

import random

import numpy as np
import pytest

SMALL = """\
# a small network on the digits that come with TrainKit
version: 1
name: small
seed: 3
data: {source: Sample, batch_size: 100}
model:
  input: [28, 28, 1]
  preprocess:
    - Rescaling: {scale: $(1/255)}
  layers:
    - Conv2D: {filters: 6, kernel_size: 5, strides: 2, activation: relu}
    - Conv2D: {filters: 12, kernel_size: 3, strides: 2, activation: relu}
    - Flatten
    - Dense: {units: $classes, activation: softmax}
      name: digit
training:
  epochs: 4
  optimizer: {Adam: {learning_rate: 5e-3}}
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
"""


@pytest.fixture(autouse=True)
def seeds():
    """Every test draws the same random numbers."""
    random.seed(1)
    np.random.seed(1)


@pytest.fixture(scope="session")
def small_config(tmp_path_factory):
    """A config that trains in two seconds."""
    filepath = tmp_path_factory.mktemp("config") / "small.yaml"
    filepath.write_text(SMALL)
    return filepath


@pytest.fixture(scope="session")
def small_run(small_config, tmp_path_factory):
    """A finished run of `small_config`, three epochs."""
    import trainkit

    return trainkit.fit(small_config, ["training.epochs=3"], runs=tmp_path_factory.mktemp("runs"))

"""What the tests of training share: a small table, and what its config becomes."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

import trainkit
from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.framework import tf
from trainkit.training import prepare

TABLE = """\
# five numbers in, a class of three out; nothing is learned at a rate of 0
version: 1
name: table
seed: 4
data:
  source: {Npz: {path: table.npz, target: kind}}
  inputs: x
  validation_split: 0.25
  test_split: 0.25
  batch_size: 32
model:
  input: [5]
  layers:
    - Dense: {units: $classes, activation: softmax}
      name: answer
training:
  epochs: 1
  optimizer: {SGD: {learning_rate: 0.0}}
  loss: SparseCategoricalCrossentropy
"""


@pytest.fixture(scope="session")
def table_config(tmp_path_factory):
    """A config of one layer, for 200 samples of three classes, one of them rare."""
    folder = tmp_path_factory.mktemp("table")
    random = np.random.default_rng(5)
    x = random.normal(size=(200, 5)).astype("float32")
    kind = np.digitize(x[:, 0], [0.0, 1.0])
    np.savez(
        folder / "table.npz",
        x=x,
        kind=kind,
        is_high=(kind > 0).astype(int),
        weight=random.uniform(0, 2, 200),
        size=x[:, :1] * 10,
    )
    (folder / "table.yaml").write_text(TABLE)
    return folder / "table.yaml"


@pytest.fixture
def prepared(table_config):
    """Prepare the config of the table with overrides."""
    return lambda *overrides: prepare(load_config(table_config, overrides))


@pytest.fixture
def train(table_config, tmp_path):
    """Train the config of the table for an epoch, with overrides."""
    return lambda *overrides: Trained(trainkit.fit(table_config, overrides, runs=tmp_path), table_config.parent)


class Trained:
    """A run of the table: the one row of its history, its metrics, and which samples were in which split."""

    def __init__(self, run, folder):
        self.run = run
        self.table = dict(np.load(folder / "table.npz"))
        self.metrics = json.loads(run.metrics.read_text())
        with run.history.open() as file:
            (row,) = csv.DictReader(file)
        self.logged = {name: float(value) for name, value in row.items()}

    def samples(self, role):
        """What the saved model answers to the samples of a split, their classes and their weights."""
        rows = {x.tobytes(): row for row, x in enumerate(self.table["x"])}
        split = load_data(load_config(self.run.resolved)).present[role]
        inputs = next(iter(split.ordered(split.size).as_numpy_iterator()))[0]["input"]
        found = [rows[x.tobytes()] for x in inputs]
        model = tf.keras.models.load_model(self.run.model, compile=False)
        return model(inputs).numpy().astype(float), self.table["kind"][found], self.table["weight"][found]

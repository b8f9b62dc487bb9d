"""One batch before the training: what fails is named, and nothing is changed."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.training import prepare

CONFIG = """\
version: 1
name: words
data:
  source: {Npz: {path: data.npz}}
  inputs: {words: words, numbers: numbers}
model:
  inputs:
    words: {shape: [2], dtype: int32}
    numbers: {shape: [3]}
  preprocess:
    numbers: [BatchNormalization]
  layers:
    - Dense: {units: 4}
      inputs: numbers
    - Concatenate:
      branches:
        - - Dense: {units: 4}
        - - Embedding: {input_dim: INPUT_DIM, output_dim: 2}
            inputs: words
          - Flatten
          - Dense: {units: 3}
    - Dense: {units: 1}
training: {loss: MeanSquaredError}
"""


@pytest.fixture
def prepared(tmp_path):
    def make(input_dim):
        words = np.array([[0, 1], [2, 9]] * 10, np.int32)
        np.savez(tmp_path / "data.npz", words=words, numbers=np.ones((20, 3), np.float32), y=np.ones((20, 1)))
        (tmp_path / "config.yaml").write_text(CONFIG.replace("INPUT_DIM", str(input_dim)))
        return prepare(load_config(tmp_path / "config.yaml"))

    return make


def test_trial_names_the_layer_of_a_branch_that_fails(prepared):
    told = (
        r"18:13 +model\.layers\[1\]\.branches\[1\]\[0\]: Embedding fails on the first batch: "
        r"indices\[\d,1\] = 9 is not in \[0, 9\)"
    )
    with pytest.raises(ConfigError, match=told):
        prepared(9)


def test_trial_leaves_the_weights_as_they_were(prepared):
    norm = prepared(10).model.get_layer("batchnormalization1")
    np.testing.assert_array_equal(norm.moving_mean, np.zeros(3))
    np.testing.assert_array_equal(norm.moving_variance, np.ones(3))


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("training.metrics.kind=[SparseCategoricalAccuracy, Precision]", r"metrics\.kind\[1\]: Precision fails on the"),
        ("training.metrics.size=[CosineSimilarity: {axis: 5}]", r"metrics\.size\[0\]: CosineSimilarity fails on the"),
        (
            "training.loss.size={CosineSimilarity: {axis: 5}}",
            r"loss\.size: CosineSimilarity fails on the first batch: \w",
        ),
    ],
    ids=["classes-metric", "numbers-metric", "loss"],
)
def test_trial_names_the_loss_or_metric_of_an_output_that_fails(override, told, two_config):
    with pytest.raises(ConfigError, match=told):
        prepare(load_config(two_config, [override]))

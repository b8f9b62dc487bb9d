"""The config of a network that compression steps have made smaller."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.deploy.network import is_other_network, write_network
from trainkit.errors import PromiseError
from trainkit.framework import tf
from trainkit.models import build_model
from trainkit.training.weights import load_weights

layers = tf.keras.layers
CONFIG = """\
version: 1
name: tiny
data: {source: {Npz: {path: ../digits.npz}}, batch_size: 50}
model:
  input: [14, 14, 1]
  layers:
    - Flatten
    - Dense: {units: 10, activation: softmax}
      name: digit
training: {epochs: 1, loss: SparseCategoricalCrossentropy}
"""


@pytest.fixture
def small():
    """A network whose names a config cannot say as they are."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.BatchNormalization(name="stage1.norm")(layers.Conv2D(3, 3, name="stage1.conv")(inputs))
    x = layers.Dense(10, activation="softmax", name="digit")(layers.Flatten()(x))
    return tf.keras.Model(inputs, x)


@pytest.fixture
def proof():
    return SimpleNamespace(inputs={"input": np.random.default_rng(0).normal(size=(8, 14, 14, 1)).astype(np.float32)})


@pytest.fixture
def subject(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/tiny.yaml").write_text(CONFIG)
    return SimpleNamespace(config=load_config(tmp_path / "runs/tiny.yaml"), directory=tmp_path / "runs/deploy")


def test_config_builds_the_network_with_its_weights(small, proof, subject):
    subject.directory.mkdir()
    small.save(subject.directory / "compressed.keras", save_format="keras")
    write_network(subject.directory, small, proof, subject)
    text = (subject.directory / "compressed.yaml").read_text()
    assert text.startswith("# The network of compressed.keras, 4,372 parameters, which it begins with.\n")
    assert "path: ../../digits.npz" in text
    config = load_config(subject.directory / "compressed.yaml")
    assert config.experiment.name == "tiny_compressed"
    built = build_model(config.experiment.model, {}, name="built")
    found = load_weights(config, built)
    assert found.transfer.loaded == ["stage1_conv", "stage1_norm", "digit"]
    given = proof.inputs["input"]
    np.testing.assert_allclose(built.predict(given, verbose=0), small.predict(given, verbose=0), atol=1e-6)


def test_config_of_another_network_is_not_written(small, proof, subject):
    subject.directory.mkdir()
    other = tf.keras.models.clone_model(small)
    other.save(subject.directory / "compressed.keras", save_format="keras")
    with pytest.raises(PromiseError, match=r"compressed\.yaml would build another network: its answers are"):
        write_network(subject.directory, small, proof, subject)
    assert not (subject.directory / "compressed.yaml").exists()


def test_a_network_is_another_one_where_weights_have_other_shapes(small):
    inputs = tf.keras.Input((14, 14, 1))
    same = tf.keras.models.clone_model(small)
    assert not is_other_network(small, same)
    assert is_other_network(small, tf.keras.Model(inputs, layers.Conv2D(3, 3)(inputs)))

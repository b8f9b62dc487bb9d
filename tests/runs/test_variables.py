"""Weights and optimizer come back as they were, or the error says what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.errors import DiskFullError, OutputError, RunError
from trainkit.framework import tf
from trainkit.runs.variables import read_variables, write_variables


def make_model(units=2, layers=1):
    inputs = outputs = tf.keras.Input([3])
    for _ in range(layers):
        outputs = tf.keras.layers.Dense(units)(outputs)
    model = tf.keras.Model(inputs, outputs)
    model.compile(tf.keras.optimizers.Adam(0.1), "mse")
    return model


def step(model):
    model.train_on_batch(np.ones([4, 3], np.float32), np.zeros([4, 2], np.float32))


def write(directory, model):
    write_variables(directory, "variables", model=model, optimizer=model.optimizer)


def read(directory, model):
    read_variables(directory, "variables", model=model, optimizer=model.optimizer)


@pytest.fixture
def trained():
    model = make_model()
    step(model)
    return model


def test_variables_come_back_with_those_of_the_optimizer(trained, tmp_path):
    write(tmp_path, trained)
    other = make_model()
    step(other)
    read(tmp_path, other)
    step(trained)
    step(other)
    assert int(other.optimizer.iterations) == 2
    for restored, saved in zip(other.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(restored, saved)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (tf.errors.ResourceExhaustedError(None, None, "No space left on device\nmore"), DiskFullError),
        (tf.errors.PermissionDeniedError(None, None, "Permission denied"), OutputError),
    ],
    ids=["full", "denied"],
)
def test_write_variables_says_why_it_cannot(error, kind, trained, tmp_path, monkeypatch):
    def fail(*_):
        raise error

    monkeypatch.setattr(tf.train.Checkpoint, "write", fail)
    with pytest.raises(kind, match=r"cannot be written: (No space left on device|Permission denied)$"):
        write(tmp_path, trained)


def truncate(directory, pattern):
    (filepath,) = directory.glob(pattern)
    filepath.write_bytes(filepath.read_bytes()[:20])


DAMAGE = {
    "half-index": lambda directory: truncate(directory, "variables.index"),
    "half-weights": lambda directory: truncate(directory, "variables.data*"),
    "no-index": lambda directory: (directory / "variables.index").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_read_variables_tells_of_damaged_ones(damage, trained, tmp_path):
    write(tmp_path, trained)
    damage(tmp_path)
    with pytest.raises(RunError, match=r"cannot be restored: \w+") as caught:
        read(tmp_path, make_model())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("other", [{"units": 5}, {"layers": 2}], ids=["shape", "layers"])
def test_read_variables_tells_of_another_model(other, trained, tmp_path):
    write(tmp_path, trained)
    with pytest.raises(RunError, match=r"cannot be restored: \w+"):
        read(tmp_path, make_model(**other))

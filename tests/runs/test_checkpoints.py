"""Checkpoints: weights and optimizer come back as they were, or the error says what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.errors import DiskFullError, OutputError, RunError
from trainkit.framework import tf
from trainkit.runs.checkpoints import restore_checkpoint, save_checkpoint


def make_model(units=2, layers=1):
    inputs = outputs = tf.keras.Input([3])
    for _ in range(layers):
        outputs = tf.keras.layers.Dense(units)(outputs)
    model = tf.keras.Model(inputs, outputs)
    model.compile(tf.keras.optimizers.Adam(0.1), "mse")
    return model


def step(model):
    model.train_on_batch(np.ones([4, 3], np.float32), np.zeros([4, 2], np.float32))


@pytest.fixture
def trained():
    model = make_model()
    step(model)
    return model


def test_checkpoint_brings_back_weights_and_facts(trained, tmp_path):
    save_checkpoint(tmp_path / "checkpoints" / "best", trained, {"epoch": 3, "val_loss": 0.25})
    other = make_model()
    assert restore_checkpoint(tmp_path / "checkpoints" / "best", other) == {"epoch": 3, "val_loss": 0.25}
    for restored, saved in zip(other.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(restored, saved)


def test_checkpoint_brings_back_the_optimizer(trained, tmp_path):
    save_checkpoint(tmp_path / "best", trained, {})
    other = make_model()
    step(other)
    restore_checkpoint(tmp_path / "best", other)
    assert int(other.optimizer.iterations) == 1
    step(trained)
    step(other)
    assert int(other.optimizer.iterations) == 2
    for restored, saved in zip(other.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(restored, saved)


def test_checkpoint_takes_the_place_of_the_older_one(trained, tmp_path):
    save_checkpoint(tmp_path / "best", trained, {"epoch": 1})
    step(trained)
    save_checkpoint(tmp_path / "best", trained, {"epoch": 2})
    other = make_model()
    assert restore_checkpoint(tmp_path / "best", other) == {"epoch": 2}
    np.testing.assert_array_equal(other.get_weights()[0], trained.get_weights()[0])
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


def test_checkpoint_is_found_where_a_kill_left_it_aside(trained, tmp_path):
    save_checkpoint(tmp_path / "best", trained, {"epoch": 1})
    (tmp_path / "best").rename(tmp_path / ".old.best")
    assert restore_checkpoint(tmp_path / "best", make_model()) == {"epoch": 1}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (tf.errors.ResourceExhaustedError(None, None, "No space left on device\nmore"), DiskFullError),
        (tf.errors.PermissionDeniedError(None, None, "Permission denied"), OutputError),
    ],
    ids=["full", "denied"],
)
def test_save_checkpoint_leaves_the_older_one_when_it_fails(error, kind, trained, tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "best", trained, {"epoch": 1})

    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(tf.train.Checkpoint, "write", fail)
        with pytest.raises(kind, match=r"best cannot be written: (No space left on device|Permission denied)$"):
            save_checkpoint(tmp_path / "best", trained, {"epoch": 2})
    assert restore_checkpoint(tmp_path / "best", make_model()) == {"epoch": 1}


def test_save_checkpoint_says_why_it_cannot_write(trained, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/best cannot be written: Not a directory"):
        save_checkpoint(tmp_path / "file" / "best", trained, {})


def truncate(directory, pattern):
    (filepath,) = directory.glob(pattern)
    filepath.write_bytes(filepath.read_bytes()[:20])


def flip(directory, pattern):
    (filepath,) = directory.glob(pattern)
    content = bytearray(filepath.read_bytes())
    content[len(content) // 2] ^= 0xFF
    filepath.write_bytes(content)


DAMAGE = {
    "missing": (lambda directory: directory.rename(directory.with_name("gone")), r"best is not a checkpoint\.$"),
    "no-facts": (lambda directory: (directory / "facts.json").unlink(), r"best is not a checkpoint\.$"),
    "half-facts": (lambda directory: truncate(directory, "facts.json"), r"best cannot be restored: \w+"),
    "half-index": (lambda directory: truncate(directory, "variables.index"), r"best cannot be restored: \w+"),
    "half-weights": (lambda directory: truncate(directory, "variables.data*"), r"best cannot be restored: \w+"),
    "flipped-index": (lambda directory: flip(directory, "variables.index"), r"best cannot be restored: \w+"),
    "flipped-weights": (lambda directory: flip(directory, "variables.data*"), r"best cannot be restored: \w+"),
    "no-index": (lambda directory: (directory / "variables.index").unlink(), r"best cannot be restored: \w+"),
}


@pytest.mark.parametrize(("damage", "told"), DAMAGE.values(), ids=DAMAGE.keys())
def test_restore_checkpoint_tells_of_a_damaged_one(damage, told, trained, tmp_path):
    save_checkpoint(tmp_path / "best", trained, {"epoch": 3, "val_loss": 0.25})
    damage(tmp_path / "best")
    with pytest.raises(RunError, match=told) as caught:
        restore_checkpoint(tmp_path / "best", make_model())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("other", [{"units": 5}, {"layers": 2}], ids=["shape", "layers"])
def test_restore_checkpoint_tells_of_another_model(other, trained, tmp_path):
    save_checkpoint(tmp_path / "best", trained, {})
    with pytest.raises(RunError, match=r"best cannot be restored: \w+"):
        restore_checkpoint(tmp_path / "best", make_model(**other))

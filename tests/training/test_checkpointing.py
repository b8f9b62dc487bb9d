"""Checkpoints of epochs that are short: as often as is worth it, the best one held until then."""

import io

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.errors import TrainingError
from trainkit.framework import tf
from trainkit.runs import Run
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training.restoring import read_state

STEPS = 4
"""Of an epoch of the table."""


def fit(config, runs, *overrides, **options):
    return trainkit.fit(config, overrides, runs=runs, console=Console(file=io.StringIO(), width=300), **options)


@pytest.fixture
def never(monkeypatch):
    """Writing takes so long that no epoch is worth it."""
    monkeypatch.setattr("trainkit.training.checkpointing._SHARE", 1e-12)


@pytest.fixture
def best_of_three(monkeypatch):
    """Of five epochs the third is the best one."""
    losses = iter([3.0, 2.0, 1.0, 4.0, 5.0])
    monkeypatch.setattr("trainkit.training.loop.Loop._validate", lambda loop: {"val_loss": next(losses)})


def variables(run, step):
    reader = tf.train.load_checkpoint(str(Checkpoints(run.checkpoints).at(step) / "variables"))
    names = [name for name in reader.get_variable_to_shape_map() if not name.startswith("_CHECKPOINTABLE")]
    return {name: reader.get_tensor(name) for name in names}


@pytest.fixture
def each(table_config, tmp_path, best_of_three):
    """A run with a checkpoint of each epoch."""
    keep = "training.checkpoints={every_epochs: 1, keep: 9}"
    return fit(table_config, tmp_path / "each", "training.epochs=5", keep)


def test_epochs_that_are_not_worth_it_share_a_checkpoint(table_config, tmp_path, never, best_of_three):
    run = fit(table_config, tmp_path, "training.epochs=5", "training.checkpoints={keep: 9}")
    # the first epoch, the best one, and the end
    assert Checkpoints(run.checkpoints).steps() == [5 * STEPS, 3 * STEPS, STEPS, 0]
    assert read_state(Checkpoints(run.checkpoints), 5 * STEPS).best.step == 3 * STEPS


@pytest.mark.usefixtures("best_of_three")
def test_epochs_have_checkpoints_of_their_own_where_that_is_asked_for(each):
    assert Checkpoints(each.checkpoints).steps() == [STEPS * epoch for epoch in range(5, -1, -1)]


def test_best_epoch_that_was_held_is_written_as_it_was(each, table_config, tmp_path, never, monkeypatch):
    losses = iter([3.0, 2.0, 1.0, 4.0, 5.0])
    monkeypatch.setattr("trainkit.training.loop.Loop._validate", lambda loop: {"val_loss": next(losses)})
    run = fit(table_config, tmp_path / "held", "training.epochs=5")
    for step in (3 * STEPS, 5 * STEPS):
        expected, found = variables(each, step), variables(run, step)
        assert expected.keys() == found.keys()
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
    states = [read_state(Checkpoints(one.checkpoints), 3 * STEPS) for one in (each, run)]
    assert states[0].position == states[1].position
    assert states[0].best == states[1].best


def test_best_epoch_that_was_held_outlives_an_error(table_config, tmp_path, never, best_of_three, monkeypatch):
    def fail(callback, epoch, logs=None):
        if epoch == 3:
            raise OSError("the socket was closed")

    monkeypatch.setattr("trainkit.callbacks.Progress.on_epoch_begin", fail)
    with pytest.raises((OSError, TrainingError), match="the socket was closed"):
        fit(table_config, tmp_path, "training.epochs=5", "training.checkpoints={keep: 9}")
    (directory,) = (tmp_path / "table").glob("0*")
    assert Checkpoints(Run(directory).checkpoints).newest() == (3 * STEPS, [])


def test_strict_trainings_have_a_checkpoint_of_each_epoch(table_config, tmp_path, never):
    """Where a rollback lands is not left to the clock."""
    overrides = ["training.epochs=3", "training.determinism=strict", "training.checkpoints={keep: 9}"]
    run = fit(table_config, tmp_path, *overrides)
    assert Checkpoints(run.checkpoints).steps() == [3 * STEPS, 2 * STEPS, STEPS, 0]


def test_the_best_epoch_has_its_own_where_the_config_says_how_often(table_config, tmp_path, best_of_three):
    run = fit(table_config, tmp_path, "training.epochs=5", "training.checkpoints={every_epochs: 9, keep: 9}")
    assert Checkpoints(run.checkpoints).steps() == [5 * STEPS, 3 * STEPS, 2 * STEPS, STEPS, 0]

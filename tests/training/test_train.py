"""Phases, NaN and determinism of a whole training."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import trainkit
from trainkit.data import Split
from trainkit.errors import ConfigError, TrainingError
from trainkit.framework import tf
from trainkit.runs import Run
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training.checkpointing import Checkpointer
from trainkit.training.restoring import read_state

PHASES = """training.phases=[
    {name: head, epochs: 2, freeze: [conv2d1, conv2d2]},
    {name: all, epochs: 2, learning_rate_factor: 0.01}]"""


def fit(config, runs, *overrides, **options):
    console = Console(file=io.StringIO(), width=300)
    run = trainkit.fit(config, overrides, runs=runs, console=console, **options)
    return run, console.file.getvalue()


def rows(run):
    with run.history.open() as file:
        return list(csv.DictReader(file))


def weights_at(run, step):
    reader = tf.train.load_checkpoint(str(Checkpoints(run.checkpoints).at(step) / "variables"))
    names = sorted(name for name in reader.get_variable_to_shape_map() if name.startswith("model/"))
    return {name: reader.get_tensor(name) for name in names}


@pytest.fixture(scope="module")
def phased(small_config, tmp_path_factory):
    """A run of two phases of two epochs."""
    keep = "training.checkpoints={keep: 9}"
    return fit(small_config, tmp_path_factory.mktemp("runs"), "training.epochs=null", PHASES, keep)


def test_phases_learn_one_after_the_other(phased):
    run, said = phased
    rates = [float(row["learning_rate"]) for row in rows(run)]
    assert rates == pytest.approx([5e-3, 5e-3, 5e-5, 5e-5])
    assert [line for line in said.splitlines() if line.startswith("phase ")] == ["phase head", "phase all"]
    assert re.findall(r"^epoch (\d/\d)", said, re.MULTILINE) == ["1/4", "2/4", "3/4", "4/4"]


def test_layers_that_are_frozen_in_a_phase_do_not_change_in_it(phased):
    run, _ = phased
    start, middle, end = (weights_at(run, step) for step in (0, 180, 360))
    same = [name for name in start if np.array_equal(start[name], middle[name])]
    assert len(same) == 4  # kernel and bias of two convolutions
    assert not [name for name in start if np.array_equal(middle[name], end[name])]


def test_phases_are_one_training_on_the_board(phased):
    run, _ = phased
    events = EventAccumulator(str(run.tensorboard / "train")).Reload().Tensors("epoch_loss")
    assert [event.step for event in events] == [1, 2, 3, 4]


@pytest.mark.parametrize("epoch", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(3, marks=pytest.mark.slow)])
def test_phases_go_on_after_a_kill(epoch, phased, small_config, tmp_path, monkeypatch):
    def killed(self, logs):
        whole(self, logs)
        if self.state.position.epoch == epoch:
            raise SystemError("killed")

    whole = Checkpointer.after_epoch
    with monkeypatch.context() as patch:
        patch.setattr(Checkpointer, "after_epoch", killed)
        with pytest.raises(TrainingError, match="killed"):
            fit(small_config, tmp_path, "training.epochs=null", PHASES)
    run = Run(tmp_path / "small/001")
    fit(None, tmp_path, resume=run.directory)
    found, expected = rows(run), rows(phased[0])
    assert [row["learning_rate"] for row in found] == [row["learning_rate"] for row in expected]
    losses = [[float(row["loss"]) for row in one] for one in (found, expected)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)


def test_early_stopping_ends_its_phase_only(small_config, tmp_path):
    phases = """training.phases=[
        {epochs: 5, callbacks: [EarlyStopping: {monitor: loss, min_delta: 100, patience: 0}]}, {epochs: 1}]"""
    run, _ = fit(small_config, tmp_path, "training.epochs=null", phases)
    assert len(rows(run)) == 3  # the second epoch of the first phase is no better


HOT = "training.optimizer={SGD: {learning_rate: 1e12}}"


def test_nan_ends_the_training_with_its_step_and_layer(small_config, tmp_path):
    with pytest.raises(TrainingError, match=r"^step \d: the layer `conv2d2` gives Inf .* The checkpoint of step 0 is"):
        fit(small_config, tmp_path, HOT, "training.epochs=1")
    run = Run(tmp_path / "small/001")
    assert Checkpoints(run.checkpoints).steps() == [0]  # nothing that is not finite was kept
    assert run.read_manifest()["outcome"].startswith("TrainingError: step ")
    assert not run.model.exists()


def test_nan_behind_relu_is_found_with_the_sample(small_config, tmp_path, monkeypatch):
    """A NaN in an input can leave the loss finite while the kernel is NaN."""

    def spoiled(self, rows):
        inputs, targets, weights = whole(self, rows)
        bad = tf.reshape(rows == 4_321, [-1, 1, 1, 1])
        return {name: tf.where(bad, np.nan, tf.cast(one, tf.float32)) for name, one in inputs.items()}, targets, weights

    whole = Split.gather
    monkeypatch.setattr(Split, "gather", spoiled)
    monkeypatch.setattr(
        "trainkit.training.loop.Loop._validate", lambda loop: pytest.fail("it was measured all the same")
    )
    told = r"the input `input` has NaN .* in sample \d+ of the batch: .* These are .*, image 4321\. The checkpoint"
    with pytest.raises(TrainingError, match=told):
        fit(small_config, tmp_path, "training.epochs=1", "data.validation_split=0")


def test_rollback_goes_back_with_a_lower_rate(small_config, tmp_path):
    policy = "training.on_nan={action: rollback, factor: 1e-13, times: 2}"
    run, said = fit(small_config, tmp_path, HOT, policy, "training.epochs=2")
    assert re.search(r"step \d: the layer `conv2d2` gives Inf.* Back to step 0; .* by 1e-13 \(1 of 2\)", said)
    assert [float(row["learning_rate"]) for row in rows(run)] == pytest.approx([0.1, 0.1])
    assert [row["epoch"] for row in rows(run)] == ["1", "2"]
    state = read_state(Checkpoints(run.checkpoints), 180)
    assert (state.rollbacks, state.rate_factor) == (1, pytest.approx(1e-13))


@pytest.mark.slow
def test_rollback_lowers_a_schedule(small_config, tmp_path):
    schedule = "training.optimizer={SGD: {learning_rate: {PolynomialDecay: {initial_learning_rate: 1e12}}}}"
    policy = "training.on_nan={action: rollback, factor: 1e-13, times: 1}"
    run, _ = fit(small_config, tmp_path, schedule, policy, "training.epochs=1")
    (row,) = rows(run)
    assert 0 < float(row["learning_rate"]) < 0.1


@pytest.mark.slow
def test_rollback_ends_after_as_many_times_as_it_may(small_config, tmp_path):
    policy = "training.on_nan={action: rollback, factor: 0.9, times: 2}"
    with pytest.raises(TrainingError, match=r"It went back 2 times before\. The checkpoint of step 0"):
        fit(small_config, tmp_path, HOT, policy, "training.epochs=1")


def test_accumulation_over_more_steps_than_there_are_is_refused(small_config, tmp_path):
    told = r"training\.gradient_accumulation_steps: must be at most 90, the steps of the training: .* Received: 91\."
    with pytest.raises(ConfigError, match=told):
        fit(small_config, tmp_path, "training.epochs=1", "training.gradient_accumulation_steps=91")


def test_off_takes_another_seed_in_every_run(small_config, tmp_path):
    runs = [fit(small_config, tmp_path, "training.determinism='off'", "training.epochs=1")[0] for _ in range(2)]
    seeds = {run.read_manifest()["seed"] for run in runs}
    assert len(seeds) == 2
    assert rows(runs[0])[0]["loss"] != rows(runs[1])[0]["loss"]
    prints = {run.read_manifest()["data"]["fingerprint"] for run in runs}
    assert len(prints) == 1  # the validation samples are the same


def test_averaged_weights_are_what_is_validated_and_saved(small_config, tmp_path):
    ema = "training.optimizer={Adam: {learning_rate: 5e-3, use_ema: true, ema_momentum: 0.98}}"
    run, _ = fit(small_config, tmp_path, ema, "training.epochs=2")
    model = tf.keras.models.load_model(run.model, compile=False)
    best = max(Checkpoints(run.checkpoints).steps())
    raw = weights_at(run, best)
    assert not any(np.array_equal(model.get_weights()[0], value) for value in raw.values())
    loss = float(rows(run)[-1]["val_loss"])
    measured = run.metrics.read_text()
    assert f'"value": {loss}' in measured


@pytest.mark.parametrize(
    "rate",
    ["1e30", "{ExponentialDecay: {initial_learning_rate: 1e30, decay_steps: 1, decay_rate: 1}}"],
    ids=["number", "schedule"],
)
def test_rollback_in_the_first_epoch_of_a_phase_lowers_its_rate_each_time(rate, table_config, tmp_path):
    """The last good checkpoint is one of the phase before, which knows nothing of the rate."""
    phases = (
        f"training.phases=[{{epochs: 1}}, {{epochs: 1, optimizer: {{SGD: {{learning_rate: {rate}, momentum: 0.9}}}}}}]"
    )
    policy = "training.on_nan={action: rollback, factor: 1e-16, times: 2}"
    spoil = "model.layers.answer.activation=exponential"
    run, said = fit(table_config, tmp_path, "training.epochs=null", phases, policy, spoil)
    gone = re.findall(r"step [678]: the layer `answer` gives .* Back to step (\d+); .* \((\d) of 2\)", said)
    assert gone == [("4", "1"), ("4", "2")]
    assert float(rows(run)[1]["learning_rate"]) == pytest.approx(1e-2)
    assert [row["epoch"] for row in rows(run)] == ["1", "2"]


def test_replay_passes_over_metrics_that_are_nan(tmp_path, table_config, monkeypatch):
    """R² of a batch with one target is no number, and no harm."""

    def nan(self):
        return tf.constant(float("nan"))

    monkeypatch.setattr(tf.keras.metrics.SparseCategoricalAccuracy, "result", nan)
    hot = "training.optimizer={SGD: {learning_rate: 1e30}}"
    spoil = "model.layers.answer.activation=exponential"
    with pytest.raises(TrainingError, match=r"^step [234]: the layer `answer` gives "):
        fit(table_config, tmp_path, hot, spoil, "training.metrics=[SparseCategoricalAccuracy]")


def test_weights_that_are_nan_from_the_beginning_are_named(table_config, tmp_path):
    nan = "model.layers.answer.kernel_initializer={Constant: {value: .nan}}"
    with pytest.raises(TrainingError, match=r"^`answer/kernel` is NaN at step 0\. No checkpoint is left to go back to"):
        fit(table_config, tmp_path, nan)


def test_checkpoints_of_steps_may_fall_on_the_end_of_an_epoch(table_config, tmp_path):
    often = "training.checkpoints={every_epochs: 9, every_steps: 2, keep: 9}"
    run, _ = fit(table_config, tmp_path, "training.epochs=3", often)
    assert Checkpoints(run.checkpoints).steps() == [12, 10, 8, 6, 4, 2, 0]


def test_board_of_ones_own_may_be_shared(table_config, tmp_path):
    """What others have written there stays, and what this training wrote after its checkpoint goes."""
    board = f"training.callbacks=[TensorBoard: {{log_dir: {tmp_path}/logs}}]"
    other = tmp_path / "logs/train/events.out.tfevents.1.host.1.0.v2"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"of another run")
    run, _ = fit(table_config, tmp_path, board)
    (own,) = set(other.parent.iterdir()) - {other}
    size = read_state(Checkpoints(run.checkpoints), 4).files[str(own)]
    other.write_bytes(b"of another run, which goes on")
    own.write_bytes(own.read_bytes() + b"behind the checkpoint")
    fit(None, tmp_path, "training.epochs=2", resume=run.directory)
    assert other.read_bytes() == b"of another run, which goes on"
    assert own.stat().st_size == size

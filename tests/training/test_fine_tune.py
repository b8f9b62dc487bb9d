"""Training a little more, as a run was trained."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from trainkit.config import NodeError, SettingError, load_config
from trainkit.data import load_data
from trainkit.errors import TrainingError
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training.distillation import read_teacher
from trainkit.training.fine_tune import FineTuning, Journal


class Spy(tf.keras.callbacks.Callback):
    """Notes what a training has."""

    def on_train_begin(self, logs=None):
        self.rates, self.losses, self.outputs = [], [], list(self.model.output_names)

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(dict(logs))


def tune(run, *overrides, epochs=1, first_epoch=0, model=None, journal=None, callbacks=(), console=None):
    config, console = load_config(run.resolved, overrides), console or Console(file=io.StringIO())
    tuning = FineTuning(
        config,
        load_data(config),
        console,
        first_epoch=first_epoch,
        journal=journal,
        teacher=lambda settings: read_teacher(Path(settings.teacher)),
    )
    model, spy = model or KerasPredictor(run.model).model, Spy()
    tuning(model, epochs=epochs, callbacks=[spy, *callbacks])
    return model, spy


def test_rate_is_a_tenth_of_the_first_one_and_stays(small_run):
    _, spy = tune(small_run)
    assert spy.rates == pytest.approx([5e-4] * len(spy.rates))


def test_rate_of_a_schedule_is_a_tenth_of_its_first(small_run):
    schedule = "{CosineDecay: {initial_learning_rate: 4e-3}}"
    _, spy = tune(small_run, f"training.optimizer={{Adam: {{learning_rate: {schedule}}}}}")
    assert spy.rates == pytest.approx([4e-4] * len(spy.rates))


def test_rate_of_a_schedule_that_warms_up_is_a_tenth_of_its_highest(small_run):
    schedule = "{CosineDecay: {initial_learning_rate: 0.0, warmup_target: 4e-3, warmup_steps: 100, decay_steps: 300}}"
    _, spy = tune(small_run, f"training.optimizer={{Adam: {{learning_rate: {schedule}}}}}")
    assert spy.rates[0] == pytest.approx(4e-4, rel=0.05)


def test_rate_of_our_own_schedule_is_a_tenth_of_its_highest_and_no_average_is_kept(small_run):
    schedule = "{WarmUp: {steps: 50, learning_rate: {PolyDecay: {initial_learning_rate: 4e-3}}}}"
    model, spy = tune(small_run, f"training.optimizer={{Adam: {{learning_rate: {schedule}, use_ema: true}}}}")
    assert spy.rates[0] == pytest.approx(4e-4, rel=0.05)
    assert not model.optimizer.use_ema


def test_steps_of_a_schedule_are_updates(small_run):
    schedule = "{WarmUp: {steps: $(steps // 3), learning_rate: {OneCycle: {max_learning_rate: 1e-3}}}}"
    overrides = [f"deploy.fine_tune.learning_rate={schedule}", "training.gradient_accumulation_steps=3"]
    model, spy = tune(small_run, *overrides, "training.learning_rate_multipliers={'*/bias': 2}")
    assert len(spy.rates) == 90  # batches: 30 updates, of which 10 are the warm-up
    assert spy.rates[:3] == pytest.approx([0, 0, 0])  # shown is the rate of the last update
    assert spy.rates[2 + 3 * 15] == pytest.approx(1e-3)  # at update 10 + 0.3 * 20 - 1, the highest of the cycle
    assert spy.rates[-1] == pytest.approx(1e-3 / 25e4)
    assert model.optimizer.iterations == 30


def test_schedule_beside_a_callback_that_changes_the_rate_is_refused(small_run):
    with pytest.raises(SettingError, match="must be a number beside the callback ReduceLROnPlateau") as error:
        tune(
            small_run,
            "training.callbacks=[ReduceLROnPlateau: {monitor: loss}]",
            "deploy.fine_tune.learning_rate={CosineDecay: {initial_learning_rate: 1e-3}}",
        )
    assert error.value.path == ("deploy", "fine_tune", "learning_rate")


def test_schedule_that_gives_no_rate_is_refused_before_a_step(small_run):
    schedule = "deploy.fine_tune.learning_rate={CosineDecay: {initial_learning_rate: '1e-3'}}"
    with pytest.raises(NodeError, match="CosineDecay must have numbers that give a rate for the first step"):
        tune(small_run, schedule)


def test_rate_of_fine_tune_wins(small_run):
    _, spy = tune(small_run, "deploy.fine_tune.learning_rate=1e-4")
    assert spy.rates == pytest.approx([1e-4] * len(spy.rates))


def test_schedule_of_fine_tune_lasts_as_long_as_the_step(small_run):
    schedule = "{CosineDecay: {initial_learning_rate: 1e-3}}"
    _, spy = tune(small_run, f"deploy.fine_tune.learning_rate={schedule}", epochs=2)
    assert spy.rates[0] > 9e-4
    assert spy.rates[len(spy.rates) // 2] == pytest.approx(5e-4, rel=0.05)
    assert spy.rates[-1] < 1e-6


def test_model_is_trained_in_place(small_run):
    model, spy = tune(small_run)
    before = KerasPredictor(small_run.model).model.get_weights()
    assert any(not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True))
    assert spy.losses[0].keys() == {
        "loss",
        "sparse_categorical_accuracy",
        "val_loss",
        "val_sparse_categorical_accuracy",
    }


def test_the_same_first_epoch_gives_the_same_order(small_run):
    first, again, other = (tune(small_run, first_epoch=epoch)[1].losses[0]["loss"] for epoch in (5, 5, 6))
    assert first == pytest.approx(again, rel=1e-3)
    assert first != pytest.approx(other, rel=1e-6)


def test_callbacks_of_the_run_take_part_but_for_those_that_would_end_it_or_write_its_files(small_run, tmp_path):
    path = tmp_path / "run.csv"
    callbacks = (
        "[EarlyStopping: {monitor: loss, patience: 0, min_delta: 100.0}, "
        f"CSVLogger: {{filename: {path}}}, "
        "ReduceLROnPlateau: {monitor: loss, factor: 0.5, patience: 1, min_delta: 100.0}]"
    )
    _, spy = tune(small_run, f"training.callbacks={callbacks}", epochs=3)
    assert len(spy.losses) == 3
    assert not path.exists()
    assert spy.rates[-1] < spy.rates[0]


def test_outputs_keep_their_names_where_a_model_has_others(two_run):
    config, model = load_config(two_run.resolved), KerasPredictor(two_run.model).model

    def rename(layer):
        is_output = layer.name in model.output_names
        return type(layer).from_config(layer.get_config() | {"name": f"other_{layer.name}"}) if is_output else layer

    renamed, spy = tf.keras.models.clone_model(model, clone_function=rename), Spy()
    tuning = FineTuning(config, load_data(config), Console(file=io.StringIO()))
    tuning(renamed, epochs=1, callbacks=[spy])
    assert renamed.output_names == ["other_kind", "other_size"]
    assert spy.outputs == ["kind", "size"]
    assert "val_kind_sparse_categorical_accuracy" in spy.losses[0]


def test_loss_that_is_no_number_ends_it(small_run):
    with pytest.raises(TrainingError, match=r"the loss is no number any more. Lower `deploy.fine_tune.learning_rate`"):
        tune(small_run, "deploy.fine_tune.learning_rate=1e30", "training.optimizer=SGD")


class Stop(tf.keras.callbacks.Callback):
    """Ends the process, as it were, in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (1, 40):
            raise KeyboardInterrupt


@pytest.fixture
def journal(tmp_path):
    return Journal(Checkpoints(tmp_path / "checkpoints"), tmp_path / "events", tmp_path)


OFTEN = (
    "training.checkpoints.every_steps=30",
    "training.callbacks=[ReduceLROnPlateau: {monitor: loss, factor: 0.5, patience: 0, min_delta: 100.0}]",
)


def test_fine_tuning_that_was_broken_off_goes_on_at_its_newest_checkpoint(small_run, journal):
    whole, all_of_it = tune(small_run, *OFTEN, epochs=2)
    with pytest.raises(KeyboardInterrupt):
        tune(small_run, *OFTEN, epochs=2, journal=journal, callbacks=[Stop()])
    assert journal.checkpoints.steps() == [120, 90]
    console = Console(file=io.StringIO(), width=200)
    model, rest = tune(small_run, *OFTEN, epochs=2, journal=journal, console=console)
    assert console.file.getvalue().startswith("goes on at training step 120 of 180\nepoch 2/2")
    assert rest.rates == all_of_it.rates  # what the callback knew was kept, too
    losses = [[one["val_loss"] for one in spy.losses] for spy in (rest, all_of_it)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    for found, expected in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_fine_tuning_with_a_teacher_goes_on_bit_for_bit(small_run, journal):
    exact = (*OFTEN, f"deploy.fine_tune.distill={small_run.directory}", "training.determinism=strict")
    whole, all_of_it = tune(small_run, *exact, epochs=2)
    with pytest.raises(KeyboardInterrupt):
        tune(small_run, *exact, epochs=2, journal=journal, callbacks=[Stop()])
    model, rest = tune(small_run, *exact, epochs=2, journal=journal)
    assert rest.losses[-1] == all_of_it.losses[-1]
    assert rest.losses[-1]["distillation"] > 0
    for found, expected in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_fine_tuning_whose_checkpoints_are_all_damaged_begins_anew(small_run, journal):
    with pytest.raises(KeyboardInterrupt):
        tune(small_run, epochs=2, journal=journal, callbacks=[Stop()])
    for step in journal.checkpoints.steps():
        (journal.checkpoints.at(step) / "state.json").write_text("{}")
    (journal.events).mkdir()
    (journal.events / "events").write_text("of the first attempt")
    console = Console(file=io.StringIO(), width=200)
    with pytest.raises(KeyboardInterrupt):
        tune(small_run, epochs=2, journal=journal, callbacks=[Stop()], console=console)
    told = "note: step_000000090 is damaged: state.json must have [0-9,]+ bytes, and has 2; it begins anew\n"
    assert re.search(told, console.file.getvalue())
    assert "goes on" not in console.file.getvalue()
    assert list(journal.events.iterdir()) == []

"""A training goes on where its newest good checkpoint is, if it is the same training."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import trainkit
from trainkit.errors import RunError
from trainkit.framework import tf
from trainkit.runs import Run, sha256_of
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training.checkpointing import Checkpointer
from trainkit.training.restoring import read_state
from trainkit.training.train import Training


@pytest.fixture
def run(small_run, tmp_path):
    """A copy of a run that has finished three epochs of 90 steps."""
    return Run(shutil.copytree(small_run.directory, tmp_path / "003"))


def resume(run, *overrides, **options):
    """Go on with a run; returns what was said."""
    console = Console(file=io.StringIO(), width=200)
    trainkit.fit(resume=run.directory, overrides=overrides, console=console, **options)
    return console.file.getvalue()


def rows(run):
    with run.history.open() as file:
        return list(csv.DictReader(file))


def epochs_on_board(run, part):
    """In the order of writing: files of the same second are read by the number of the process and of the writer."""
    events = EventAccumulator(str(run.tensorboard / part)).Reload().Tensors("epoch_loss")
    events.sort(key=lambda event: event.wall_time)
    return [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events]


def test_resume_makes_a_training_longer(run):
    before = rows(run)
    said = resume(run, "training.epochs=4")
    assert "goes on after 3 epochs, at step 270" in said
    assert rows(run)[:3] == before
    assert [row["epoch"] for row in rows(run)] == ["1", "2", "3", "4"]
    assert float(rows(run)[3]["loss"]) < float(before[2]["loss"])
    manifest = run.read_manifest()
    assert manifest["outcome"] == "finished"
    assert manifest["resumed"][0]["differences"] == ["training.epochs: was 3, is 4"]
    assert json.loads(run.metrics.read_text())["best"]["epoch"] in (3, 4)


def test_resume_of_a_finished_run_does_nothing(run):
    before = {path: path.stat().st_mtime_ns for path in run.directory.rglob("*") if path.name != ".lock"}
    assert "is finished: nothing is left to do" in resume(run)
    after = {path: path.stat().st_mtime_ns for path in run.directory.rglob("*") if path.name != ".lock"}
    assert {path.name for path in after if after[path] != before.get(path)} <= {"train.log"}


def test_resume_after_a_kill_leaves_no_hole_and_nothing_twice(small_config, tmp_path, monkeypatch):
    def killed(self, logs):
        if self.state.position.epoch == 2:
            raise SystemError("killed")
        whole(self, logs)

    whole = Checkpointer.after_epoch
    with monkeypatch.context() as patch:
        patch.setattr(Checkpointer, "after_epoch", killed)
        with pytest.raises(trainkit.errors.TrainingError, match="killed"):
            trainkit.fit(small_config, ["training.epochs=3"], runs=tmp_path)
    run = Run(tmp_path / "small/001")
    assert len(rows(run)) == 2  # the second one has no checkpoint
    said = resume(run)
    assert "goes on after 1 epoch, at step 90" in said
    assert [row["epoch"] for row in rows(run)] == ["1", "2", "3"]
    losses = [float(row["loss"]) for row in rows(run)]
    assert epochs_on_board(run, "train") == [(step, pytest.approx(loss)) for step, loss in enumerate(losses, 1)]
    assert [step for step, _ in epochs_on_board(run, "validation")] == [1, 2, 3]
    log = run.log.read_text()
    assert [int(number) for number in re.findall(r"INFO epoch (\d)/3", log)] == [1, 2, 3]
    assert "ERROR TrainingError: training failed: SystemError: killed" in log


def test_resume_takes_the_checkpoint_before_a_damaged_one(run):
    (filepath,) = (run.checkpoints / "step_000000270").glob("variables.data*")
    filepath.write_bytes(filepath.read_bytes()[:-1])
    said = resume(run, "training.epochs=4")
    assert re.search(r"note: step_000000270 is damaged: variables\.data\S+ must have [\d,]+ bytes", said)
    assert "goes on after 2 epochs, at step 180" in said
    assert [row["epoch"] for row in rows(run)] == ["1", "2", "3", "4"]


def test_resume_refuses_to_be_shorter_than_it_is(run):
    told = r"003 has been trained for 3 epochs, 270 steps already\. training\.epochs must not be less"
    with pytest.raises(RunError, match=told):
        resume(run, "training.epochs=2")
    assert len(rows(run)) == 3


def test_resume_without_a_checkpoint_begins_anew(run):
    shutil.rmtree(run.checkpoints)
    assert "goes on from its beginning" in resume(run, "training.epochs=1")
    assert len(rows(run)) == 1
    assert [step for step, _ in epochs_on_board(run, "train")] == [1]


def spoil(run, **entries):
    manifest = run.read_manifest()
    run.manifest.write_text(json.dumps(manifest | entries))


CHANGES = {
    "config": (["data.batch_size=50"], {}, r"data\.batch_size: was 100, is 50"),
    "layer": (
        ["model.layers.digit.activation=null"],
        {},
        r"model\.layers\[3\]\.Dense\.activation: was 'softmax', is None",
    ),
    "versions": ([], {"versions": {"tensorflow": "2.20.0"}}, r"tensorflow: was 2\.20\.0, is 2\."),
    "data": ([], {"data": {"fingerprint": "0" * 64}}, "the data: the files that the config names have changed"),
    "schedule": (
        ["training.optimizer={SGD: {learning_rate: {CosineDecay: {initial_learning_rate: 0.1}}}}"],
        {},
        r"training\.optimizer\.\S+: was ",
    ),
}


@pytest.mark.parametrize(("overrides", "entries", "told"), CHANGES.values(), ids=CHANGES)
def test_resume_refuses_what_is_another_training(overrides, entries, told, run):
    spoil(run, **{"outcome": "killed", **entries})
    before = sorted(run.directory.rglob("*"))
    with pytest.raises(RunError, match=rf"(?s)was begun with something else:\n.*{told}.*--force"):
        resume(run, *overrides)
    assert sorted(run.directory.rglob("*")) == before
    assert len(rows(run)) == 3


def test_resume_tells_that_a_schedule_follows_from_the_length(small_config, tmp_path):
    schedule = "training.optimizer={SGD: {learning_rate: {CosineDecay: {initial_learning_rate: 0.1}}}}"
    run = trainkit.fit(small_config, ["training.epochs=1", schedule], runs=tmp_path)
    told = r"training\.epochs: was 1, is 2: the learning rates of the steps before follow from it"
    with pytest.raises(RunError, match=told):
        resume(run, "training.epochs=2")
    assert "forced: training.epochs" in resume(run, "training.epochs=2", force=True)
    assert len(rows(run)) == 2


def test_resume_with_force_goes_on_all_the_same(run):
    said = resume(run, "data.batch_size=200", "training.epochs=4", force=True)
    assert "forced: data.batch_size: was 100, is 200" in said
    assert rows(run)[-1]["epoch"] != "3"
    assert run.read_manifest()["resumed"][0]["differences"][0] == "data.batch_size: was 100, is 200"


def test_resume_of_a_run_in_use_is_refused(run):
    with run.lock(), pytest.raises(RunError, match=r"003 is in use by process \d+ on "):
        resume(run, "training.epochs=4")


def test_resume_removes_what_a_kill_left_half_written(run):
    (run.checkpoints / ".123.step_000000300").mkdir()
    (run.directory / ".123.history.csv").touch()
    resume(run)
    left = [path.name for path in (*run.directory.iterdir(), *run.checkpoints.iterdir()) if path.name.startswith(".1")]
    assert left == []


def test_fit_needs_a_config_or_a_run():
    with pytest.raises(trainkit.errors.InputError, match="`config` must be given where there is no run to resume"):
        trainkit.fit()


def test_resume_names_what_is_wrong_where_no_checkpoint_is_whole(run):
    for path in run.checkpoints.glob("step_*/variables.index"):
        path.unlink()
    told = r"(?s)003 has no checkpoint to go on from:\n  step_000000270 has no variables\.index\n.*--force"
    with pytest.raises(RunError, match=told):
        resume(run, "training.epochs=4")
    assert "goes on from its beginning" in resume(run, "training.epochs=1", force=True)


def test_resume_takes_no_checkpoint_whose_best_one_is_lost(run):
    newest = run.checkpoints / "step_000000270"
    state = json.loads((newest / "state.json").read_text())
    state["best"] |= {"epoch": 2, "step": 180}
    (newest / "state.json").write_text(json.dumps(state))
    manifest = json.loads((newest / "manifest.json").read_text())
    manifest["files"]["state.json"] = {
        "bytes": (newest / "state.json").stat().st_size,
        "sha256": sha256_of(newest / "state.json"),
    }
    (newest / "manifest.json").write_text(json.dumps(manifest))
    (run.checkpoints / "step_000000180" / "variables.index").unlink()
    told = r"step_000000270 needs the best one, step_000000180, which has no variables\.index"
    with pytest.raises(RunError, match=told):
        resume(run, "training.epochs=4")
    said = resume(run, "training.epochs=4", force=True)
    assert "goes on after 3 epochs, at step 270" in said
    assert json.loads(run.metrics.read_text())["best"]["epoch"] == 4


def test_resume_at_the_first_step_writes_the_graph_to_tensorboard_once(small_config, tmp_path, monkeypatch):
    def killed(self, *, is_last):
        raise SystemError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Checkpointer, "after_step", killed)
        with pytest.raises(trainkit.errors.TrainingError, match="killed"):
            trainkit.fit(small_config, ["training.epochs=1"], runs=tmp_path)
    run = Run(tmp_path / "small/001")
    assert "goes on after 0 epochs, at step 0" in resume(run)
    board = EventAccumulator(str(run.tensorboard / "train")).Reload()
    assert board.Tags()["graph"]
    assert len(board.Tensors("keras")) == len(board.Tensors("config")) == 1
    assert len(list((run.tensorboard / "train").iterdir())) == 1


@pytest.mark.slow
def test_resume_goes_on_with_a_csv_that_an_epoch_without_a_checkpoint_has_begun(small_config, tmp_path, monkeypatch):
    def killed(self, logs):
        raise SystemError("killed")

    filepath = tmp_path / "epochs.csv"
    filepath.write_text("of another training\n" * 50)
    logger = f"training.callbacks=[{{CSVLogger: {{filename: {filepath}}}}}]"
    with monkeypatch.context() as patch:
        patch.setattr(Checkpointer, "after_epoch", killed)
        with pytest.raises(trainkit.errors.TrainingError, match="killed"):
            trainkit.fit(small_config, ["training.epochs=2", logger], runs=tmp_path)
    assert len(filepath.read_text().splitlines()) == 2
    resume(Run(tmp_path / "small/001"))
    assert [line.partition(",")[0] for line in filepath.read_text().splitlines()] == ["epoch", "0", "1"]


@pytest.fixture
def table_run(table_config, tmp_path):
    """Train the config of the table with overrides."""
    return lambda *overrides: trainkit.fit(table_config, overrides, runs=tmp_path)


def test_resume_of_steps_ends_at_the_step_that_is_asked_for(table_run):
    """The last epoch before was a short one, from which on the epochs are counted."""
    run = table_run("training.epochs=null", "training.steps=6")
    assert "epoch 3/4" in resume(run, "training.steps=11")
    assert Checkpoints(run.checkpoints).steps()[0] == 11
    assert [row["epoch"] for row in rows(run)] == ["1", "2", "3", "4"]  # 4, 2, 4 and 1 steps
    resume(run, "training.steps=16")
    assert Checkpoints(run.checkpoints).steps()[0] == 16


def test_resume_with_force_takes_other_arguments_of_callbacks(table_run):
    stop = "training.callbacks=[EarlyStopping: {{monitor: loss, patience: {}}}]"
    run = table_run("training.epochs=2", stop.format(2))
    resume(run, "training.epochs=9", stop.format(5), force=True)
    assert len(rows(run)) == 6  # nothing is learned at a rate of 0


def test_resume_tells_that_a_phase_is_over(table_run):
    run = table_run("training.epochs=null", "training.phases=[{epochs: 1}, {epochs: 1}]")
    with pytest.raises(RunError, match=r"training\.phases\[0\]\.epochs: was 1, is 2"):
        resume(run, "training.phases[0].epochs=2")
    assert "goes on after 2 epochs" in resume(run, "training.phases[1].epochs=2")
    assert len(rows(run)) == 3


CODE = """\
from trainkit import register
from trainkit.framework import tf

@register
class Scale(tf.keras.layers.Layer):
    def call(self, inputs):
        return {factor} * inputs
"""


def test_resume_with_force_leaves_a_run_that_can_be_used(table_config, tmp_path):
    """Its code, its data and what is written of them are those that it was trained with last."""
    for name in ("table.yaml", "table.npz"):
        shutil.copy(table_config.with_name(name), tmp_path)
    config, code = tmp_path / "table.yaml", tmp_path / "own.py"
    code.write_text(CODE.format(factor=1))
    layers = "model.layers=[Scale, Dense: {units: $classes, activation: softmax}]"
    overrides = [f"custom_code={code}", layers]
    with trainkit.allow_code():
        run = trainkit.fit(config, overrides, runs=tmp_path / "runs")
        code.write_text(CODE.format(factor=2))
        table = dict(np.load(tmp_path / "table.npz"))
        np.savez(tmp_path / "table.npz", **table | {"x": table["x"] + 1})
        longer = [*overrides, "training.epochs=2"]
        with pytest.raises(RunError, match=r"(?s)custom_code\.sha256: was .*the data: the files that the config names"):
            trainkit.fit(config, longer, resume=run.directory)
        trainkit.fit(config, longer, resume=run.directory, force=True)
        trainkit.evaluate(run.directory)
        assert "goes on after 2 epochs" in resume(run, "training.epochs=3")
    assert "return 2 * inputs" in (run.directory / "own.py").read_text()


RATE = "training.optimizer={{{}: {{learning_rate: {}}}}}"


@pytest.mark.slow
def test_resume_with_force_takes_another_optimizer(table_run):
    """A rate is put in the place of the checkpoint's; another optimizer begins anew."""
    run = table_run(RATE.format("SGD", 0.1))
    resume(run, "training.epochs=2", RATE.format("SGD", 0.01), force=True)
    resume(run, "training.epochs=3")
    resume(run, "training.epochs=4", RATE.format("Adam", 1e-3), force=True)
    assert [float(row["learning_rate"]) for row in rows(run)] == pytest.approx([0.1, 0.01, 0.01, 1e-3])
    variables = tf.train.load_checkpoint(str(Checkpoints(run.checkpoints).at(16) / "variables"))
    count = next(name for name in variables.get_variable_to_shape_map() if "optimizer/_iterations" in name)
    assert variables.get_tensor(count) == 4


def test_files_and_board_go_on_as_if_nothing_had_happened(table_config, table_run, tmp_path, monkeypatch):
    """A CSV file has one header and no row twice, and the board that wrote of each batch is no one's board any more."""
    log, board = tmp_path / "log.csv", "TensorBoard: {update_freq: 2}"
    settings = ["training.epochs=null", "training.checkpoints={every_epochs: 9, every_steps: 10}"]
    settings += [
        f"training.phases=[{{epochs: 4, callbacks: [CSVLogger: {{filename: {log}}}, {board}]}}, {{epochs: 1}}]"
    ]

    def killed(self, logs):
        if self.state.position.epoch in left:
            left.remove(self.state.position.epoch)
            raise SystemError("killed")
        whole(self, logs)

    whole, left = Checkpointer.after_epoch, [1, 3]
    monkeypatch.setattr(Checkpointer, "after_epoch", killed)
    with pytest.raises(trainkit.errors.TrainingError, match="killed"):  # before the file has a checkpoint
        table_run(*settings)
    run = Run(tmp_path / "table/001")
    with pytest.raises(trainkit.errors.TrainingError, match="killed"):
        resume(run)
    resume(run)
    assert [line.split(",")[0] for line in log.read_text().splitlines()] == ["epoch", "0", "1", "2", "3"]
    assert [step for step, _ in epochs_on_board(run, "train")] == [1, 2, 3, 4, 5]


class Killed(BaseException):
    """The process is gone: nothing answers."""


@pytest.fixture
def kill_before_the_first_step(monkeypatch):
    """Resume with changes in a process that ends before it has trained anything."""

    def kill(run, *overrides, **options):
        def killed(self):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(Training, "__call__", killed)
            with pytest.raises(Killed):
                resume(run, *overrides, **options)

    return kill


def test_a_forced_change_is_not_lost_where_the_process_ends_before_its_first_step(run, kill_before_the_first_step):
    changes = ("training.epochs=4", "training.optimizer={Adam: {learning_rate: 1e-3}}")
    kill_before_the_first_step(run, *changes, force=True)
    with pytest.raises(RunError, match=r"learning_rate: was 0\.005, is 0\.001"):
        resume(run)
    resume(run, force=True)
    assert float(rows(run)[3]["learning_rate"]) == pytest.approx(1e-3)


def test_a_loss_is_chosen_by_the_least_whether_that_is_written_or_not(small_config, tmp_path):
    trainkit.fit(small_config, ["training.epochs=1", "training.best={monitor: val_loss}"], runs=tmp_path)
    run = Run(tmp_path / "small/001")
    assert "goes on after 1 epoch" in resume(run, "training.epochs=2", "training.best={monitor: val_loss, mode: min}")


def test_code_that_was_forced_can_be_gone_on_with_where_the_process_ends_before_its_first_step(
    table_config, tmp_path, kill_before_the_first_step
):
    code = tmp_path / "own.py"
    code.write_text(CODE.format(factor=1))
    layers = "model.layers=[Scale, Dense: {units: $classes, activation: softmax}]"
    with trainkit.allow_code():
        run = trainkit.fit(table_config, [f"custom_code={code}", layers], runs=tmp_path / "runs")
        code.write_text(CODE.format(factor=2))
        changes = (f"custom_code={code}", layers, "training.epochs=2")
        kill_before_the_first_step(run, *changes, config=table_config, force=True)
        with pytest.raises(RunError, match=r"custom_code\.sha256: was"):
            resume(run)
        assert "goes on after 1 epoch" in resume(run, force=True)


def test_a_longer_training_is_the_same_where_the_process_ends_before_its_first_step(
    small_config, tmp_path, kill_before_the_first_step
):
    """The last epoch of 100 steps lacked 80: with 270 it has to be an epoch of its own length."""
    first = Run(tmp_path / "small/001")
    trainkit.fit(small_config, ["training.epochs=null", "training.steps=100"], runs=tmp_path)
    second = Run(shutil.copytree(first.directory, tmp_path / "002"))
    kill_before_the_first_step(second, "training.steps=200")
    resume(first, "training.steps=200")
    resume(second)
    assert [row["loss"] for row in rows(second)] == [row["loss"] for row in rows(first)]
    assert Checkpoints(second.checkpoints).steps() == Checkpoints(first.checkpoints).steps()
    assert (
        read_state(Checkpoints(second.checkpoints), 200).position
        == read_state(Checkpoints(first.checkpoints), 200).position
    )

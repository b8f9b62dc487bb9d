"""`training.execution` and `training.graph`, as a whole training has them."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

import trainkit
from trainkit.errors import ConfigError, RunError
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training.execution import Planner

EACH = """
import trainkit
import tensorflow as tf

@trainkit.register
class Each(tf.keras.callbacks.Callback):
    '''Counts batches.'''

    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)
"""


def fit(config, runs, *overrides, **options):
    console = Console(file=io.StringIO(), width=300)
    run = trainkit.fit(config, overrides, runs=runs, console=console, **options)
    return run, console.file.getvalue()


def plan_of(run, phase="0"):
    return run.read_manifest()["execution"][phase]["plan"]


def test_the_choice_is_told_and_kept(table_config, tmp_path, monkeypatch):
    """200 samples in batches of 2, half of them for training: 50 steps an epoch."""
    run, said = fit(table_config, tmp_path, "data.batch_size=2", "training.execution={jit_compile: false}")
    plan = plan_of(run)
    assert (plan["data"], plan["jit_compile"]) == ("device", "")
    assert plan["steps_per_execution"] > 1
    assert "execution: samples on the device, no XLA, " in said
    assert run.read_manifest()["execution"]["0"]["milliseconds_per_step"].keys() == {"device"}
    monkeypatch.setattr(Planner, "choose", lambda self: pytest.fail("measured again"))
    fit(None, tmp_path, "training.epochs=2", resume=run.directory)
    assert plan_of(run) == plan


def test_another_execution_needs_force(table_config, tmp_path):
    run, _ = fit(table_config, tmp_path)
    with pytest.raises(RunError, match=r"training\.execution: was 'auto', is "):
        fit(None, tmp_path, "training.epochs=2", "training.execution={data: stream}", resume=run.directory)
    fit(None, tmp_path, "training.epochs=2", "training.execution={data: stream}", resume=run.directory, force=True)
    assert plan_of(run)["data"] == "stream"


def test_checkpoints_fall_on_their_steps_however_many_a_call_does(table_config, tmp_path):
    execution = "training.execution={steps_per_execution: 40}"
    keep = "training.checkpoints={every_steps: 7, keep: 9}"
    run, _ = fit(table_config, tmp_path, "data.batch_size=5", execution, keep)
    assert sorted(Checkpoints(run.checkpoints).steps()) == [0, 7, 14, 21, 23]  # the last is that of the epoch


def test_a_callback_of_batches_gets_every_batch(table_config, tmp_path):
    (tmp_path / "each.py").write_text(EACH)
    code = f"custom_code={tmp_path / 'each.py'}"
    with trainkit.allow_code():
        run, said = fit(table_config, tmp_path / "runs", "data.batch_size=2", code, "training.callbacks=[Each]")
    assert plan_of(run)["steps_per_execution"] == 1
    assert "\nEach is asked for every batch" in said


@pytest.mark.parametrize(
    ("execution", "told"),
    [
        ("{jit_compile: true}", r"training\.execution\.jit_compile: must be false beside `graph: eager`"),
        ("{steps_per_execution: 2}", r"steps_per_execution: must be 1 beside `graph: eager`.* Received: 2"),
    ],
    ids=["XLA", "steps"],
)
def test_eager_does_not_go_with_what_graphs_do(table_config, tmp_path, execution, told):
    with pytest.raises(ConfigError, match=told):
        fit(table_config, tmp_path, "training.graph=eager", f"training.execution={execution}")
    assert not list(tmp_path.iterdir())

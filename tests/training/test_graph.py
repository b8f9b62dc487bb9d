"""`training.graph: eager`: Python runs for every step, and trains as the graph does."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import trainkit
from trainkit.framework import tf
from trainkit.runs import Run
from trainkit.training.checkpointing import Checkpointer

CODE = """\
import tensorflow as tf
from trainkit import register


@register
class Told(tf.keras.layers.Layer):
    def call(self, x, training=None):
        if tf.executing_eagerly():
            print("told", bool(training), len(x), float(tf.reduce_mean(x)))
        return x
"""
STEPS = ["training.epochs=null", "training.steps=6", "training.steps_per_epoch=3", "data.validation_split={last: 200}"]


@pytest.fixture
def told_config(small_config, tmp_path):
    (tmp_path / "told.py").write_text(CODE)
    text = small_config.read_text().replace(
        "    - Flatten\n", "    - Told\n    - Dropout: {rate: 0.3}\n    - Flatten\n"
    )
    (tmp_path / "told.yaml").write_text(text.replace("name: small", "name: told\ncustom_code: told.py"))
    return tmp_path / "told.yaml"


def losses(run):
    with run.history.open() as file:
        return [[float(row["loss"]), float(row["val_loss"])] for row in csv.DictReader(file)]


def test_python_of_a_layer_runs_for_every_step_and_validation_batch(told_config, tmp_path, capsys):
    with trainkit.allow_code():
        eager = trainkit.fit(told_config, [*STEPS, "training.graph=eager"], runs=tmp_path)
        said = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("told ")]
        static = trainkit.fit(told_config, STEPS, runs=tmp_path)
    counts = {(training, int(size)): 0 for _, training, size, _ in said}
    for _, training, size, value in said:
        counts[training, int(size)] += 1
        assert np.isfinite(float(value))
    assert counts["True", 100] == 6  # a batch of each step
    assert counts["False", 100] == 4  # two of validation, after each of two epochs
    np.testing.assert_allclose(losses(eager), losses(static), rtol=1e-5)
    assert eager.read_manifest()["execution"]["0"]["plan"]["steps_per_execution"] == 1


@pytest.mark.slow
def test_an_eager_training_goes_on_where_it_was_killed(small_config, tmp_path, monkeypatch):
    overrides = [*STEPS, "training.graph=eager", "training.checkpoints.every_steps=2"]
    straight = trainkit.fit(small_config, overrides, runs=tmp_path)
    with monkeypatch.context() as patch:

        def killed(self, *, is_last):
            step(self, is_last=is_last)
            if self.state.position.step == 4:
                raise SystemError("killed")

        step = Checkpointer.after_step
        patch.setattr(Checkpointer, "after_step", killed)
        with pytest.raises(trainkit.TrainKitError, match="killed"):
            trainkit.fit(small_config, overrides, runs=tmp_path)
    resumed = trainkit.fit(resume=Run(tmp_path / "small/002").directory)
    assert resumed.read_manifest()["resumed"][0]["step"] == 4
    np.testing.assert_allclose(losses(resumed), losses(straight), rtol=1e-5)
    models = [tf.keras.models.load_model(run.model) for run in (straight, resumed)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)

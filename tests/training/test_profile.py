"""`fit --profile`: where the time of a training goes."""

from __future__ import annotations

import io
import json
import time

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.framework import tf
from trainkit.training.stopwatch import Stopwatch


def fit(config, runs, *overrides, **options):
    console = Console(file=io.StringIO(), width=200)
    run = trainkit.fit(config, overrides, runs=runs, console=console, **options)
    return run, console.file.getvalue()


def test_stopwatch_counts_no_second_twice():
    watch = Stopwatch()
    began = time.perf_counter()
    with watch("outer"):
        time.sleep(0.02)
        with watch("inner"):
            time.sleep(0.05)
    assert sum(watch.seconds.values()) == pytest.approx(time.perf_counter() - began, abs=0.01)
    assert watch.seconds["inner"] > watch.seconds["outer"]


@pytest.fixture(scope="module")
def profiled(table_config, tmp_path_factory):
    """A profiled run of two epochs of 23 steps."""
    overrides = ["training.epochs=2", "data.batch_size=5", "training.callbacks=[{EarlyStopping: {patience: 9}}]"]
    overrides.append("training.optimizer={SGD: {learning_rate: 0.1}}")
    return fit(table_config, tmp_path_factory.mktemp("runs"), *overrides, profile=True), overrides


def test_profile_names_every_part(profiled):
    (run, said), _ = profiled
    profile = json.loads(run.profile.read_text())
    parts = profile["parts"]
    wanted = {"input", "train step", "making the graph", "validation", "checkpoints", "TensorBoard", "EarlyStopping"}
    assert wanted | {"history.csv", "watch for NaN", "rest"} <= parts.keys()
    assert profile["steps"] == 46
    assert sum(part["share"] for part in parts.values()) == pytest.approx(1)
    assert sum(part["seconds"] for part in parts.values()) == pytest.approx(profile["seconds"])
    assert "where the time of 46 steps went" in said


def test_profile_shows_steps_to_tensorboard(profiled):
    (run, _), _ = profiled
    assert list((run.tensorboard / "plugins" / "profile").glob("*/*.xplane.pb"))


def test_profiled_training_is_the_same(profiled, table_config, tmp_path):
    (run, _), overrides = profiled
    plain, _ = fit(table_config, tmp_path, *overrides)
    one, other = (tf.keras.models.load_model(found.model).get_weights() for found in (run, plain))
    np.testing.assert_allclose(one[0], other[0], atol=1e-6)
    assert "execution" not in run.read_manifest()  # what a training without profile chooses is another matter

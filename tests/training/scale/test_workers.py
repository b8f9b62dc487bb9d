"""Real processes that train together: they give what one gives, also after one of them was killed."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.runs import Run

pytestmark = pytest.mark.slow
LONG = ["training.epochs=4", "training.checkpoints.every_steps=37", "training.determinism=strict"]


def workers_of(process_id):
    """The process ids of the workers that a launcher has started, by their index."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            environment = (path / "environ").read_bytes().split(b"\0") if parent == process_id else []
        except OSError:
            continue
        for entry in environment:
            if entry.startswith(b"TF_CONFIG="):
                found[json.loads(entry.partition(b"=")[2])["task"]["index"]] = int(path.name)
    return found


def wait_for(found, process, *, seconds=240):
    until = time.monotonic() + seconds
    while not found():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < until
        time.sleep(0.02)


def weights_of(run):
    return tf.keras.models.load_model(run.model, compile=False).get_weights()


@pytest.fixture(scope="module")
def run_of_three(exact_config, fit_command, tmp_path_factory):
    """A training of three workers that nothing has disturbed."""
    runs = tmp_path_factory.mktemp("three")
    process = fit_command(exact_config, *LONG, "--runs", runs, "--workers", 3)
    told, _ = process.communicate(timeout=400)
    assert process.returncode == 0, told
    return Run.open(runs / "exact")


def test_three_workers_learn_as_one(run_of_three, exact_config, fit_command, history_of, tmp_path):
    process = fit_command(exact_config, *LONG, "--runs", tmp_path)
    told, _ = process.communicate(timeout=240)
    assert process.returncode == 0, told
    for one, three in zip(history_of(Run.open(tmp_path / "exact")), history_of(run_of_three), strict=True):
        assert three == pytest.approx(one, abs=2e-5)
    assert json.loads(run_of_three.manifest.read_text())["strategy"]["batch_of_a_replica"] == "42 or 43"


@pytest.mark.parametrize("index", [0, 1], ids=["chief", "another"])
def test_a_worker_that_is_killed_ends_all_and_the_run_goes_on_exactly(
    still_running, run_of_three, exact_config, fit_command, history_of, tmp_path, index
):
    process = fit_command(exact_config, *LONG, "--runs", tmp_path, "--workers", 3)
    directory = tmp_path / "exact/001"
    wait_for((directory / "checkpoints/step_000000185").exists, process)
    workers = workers_of(process.pid)
    assert sorted(workers) == [0, 1, 2]
    os.kill(workers[index], signal.SIGKILL)
    began = time.monotonic()
    told, _ = process.communicate(timeout=90)
    assert time.monotonic() - began < 60
    assert process.returncode == 1
    assert still_running(workers.values()) == []
    log = f"; its output: {directory}/workers/worker_{index}.log" if index else ""
    assert f"error: worker {index} was killed by SIGKILL{log}\n" in told
    assert told.count(f"go on with: trainkit fit --resume {directory} --workers 3\n") == 1
    assert "Traceback" not in told
    resumed = fit_command("--resume", directory, "--workers", 3)
    told, _ = resumed.communicate(timeout=400)
    assert resumed.returncode == 0, told
    assert history_of(Run.open(directory)) == history_of(run_of_three)
    for found, expected in zip(weights_of(Run.open(directory)), weights_of(run_of_three), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_all_with_a_checkpoint_and_another_number_of_workers_goes_on(
    still_running, run_of_three, exact_config, fit_command, history_of, tmp_path, number, code
):
    process = fit_command(exact_config, *LONG, "--runs", tmp_path, "--workers", 2)
    directory = tmp_path / "exact/001"
    wait_for((directory / "checkpoints/step_000000148").exists, process)
    workers = workers_of(process.pid)
    process.send_signal(number)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert still_running(workers.values()) == []
    assert f"go on with: trainkit fit --resume {directory} --workers 2\n" in told
    step = int(told.partition("at step ")[2].partition("\n")[0].replace(",", ""))
    assert (directory / f"checkpoints/step_{step:09d}").exists()
    resumed = fit_command("--resume", directory, *(["--workers", 3] if number == signal.SIGINT else []))
    told, _ = resumed.communicate(timeout=400)
    assert resumed.returncode == 0, told
    for found, expected in zip(history_of(Run.open(directory)), history_of(run_of_three), strict=True):
        assert found == pytest.approx(expected, abs=5e-5)


def test_workers_do_not_outlive_a_launcher_that_is_killed(still_running, exact_config, fit_command, tmp_path):
    process = fit_command(exact_config, "training.epochs=200", "--runs", tmp_path, "--workers", 2)
    wait_for((tmp_path / "exact/001/checkpoints/step_000000071").exists, process)
    workers = workers_of(process.pid)
    process.kill()
    process.communicate(timeout=20)
    time.sleep(1)
    assert len(workers) == 2
    assert still_running(workers.values()) == []

"""A deploy that is killed at any moment goes on, and ends with the files of one that was not."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from trainkit.inference.keras import KerasPredictor
from trainkit.runs import Run, sha256_of
from trainkit.runs.checkpoints import fault_of

KILLS = 10
STRICT = ["training.epochs=1", "training.determinism=strict", "training.checkpoints.every_steps=10"]
STEPS = "deploy.compress=[Prune: {sparsity: 0.8}, Cluster: {clusters: 8}, Quantize: {epochs: 1}]"
EXPORT = "deploy.export=[TFLite, TFLite: {precision: int8}, ONNX]"
COMMAND = "from trainkit.cli import main; main()"


@pytest.fixture(scope="module")
def run(small_config, tmp_path_factory):
    """A run whose every bit follows from its seed."""
    command = [sys.executable, "-c", COMMAND, "fit", str(small_config), *STRICT]  # which holds for a whole process
    folder = tmp_path_factory.mktemp("runs")
    subprocess.run([*command, "--runs", str(folder)], check=True, capture_output=True)
    return Run.find(folder / "small")


def start(run, log, *overrides):
    command = [sys.executable, "-c", COMMAND, "deploy", str(run.directory), STEPS, EXPORT, *overrides]
    return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def copy_of(run, folder):
    return Run(shutil.copytree(run.directory, folder))


def results(run):
    """What follows from the seed: all files but for those that tell of times, and the weights in one that does."""
    names = ("small_float32.tflite", "small_int8.tflite", "small.onnx", "labels.txt", "verify.json")
    digests = {name: sha256_of(run.deploy / name) for name in names}
    steps = json.loads((run.deploy / "compression.json").read_text())["steps"]
    measured = [{key: value for key, value in step.items() if key != "seconds"} for step in steps]
    return digests, measured, KerasPredictor(run.deploy / "compressed.keras").model.get_weights()


def check_names(run):
    """Whatever has a final name is whole."""
    for folder in run.compress.glob("checkpoints/*/step_*"):
        assert fault_of(folder) is None
    for record in run.compress.glob("*.json"):
        told = json.loads(record.read_text())
        assert told["sha256"] == sha256_of(run.compress / told["file"])
    for record in run.compress.glob("exports/[!.]*/record.json"):
        report = json.loads(record.read_text())["report"]
        assert report["sha256"] == sha256_of(record.parent / report["file"])


@pytest.mark.slow
def test_deploy_that_is_killed_ten_times_gives_the_files_of_one_that_was_not(run, tmp_path):
    whole, killed = copy_of(run, tmp_path / "whole"), copy_of(run, tmp_path / "killed")
    began = time.monotonic()
    with (tmp_path / "whole.log").open("wb") as log:
        assert start(whole, log).wait() == 0
    seconds, chance, kills = time.monotonic() - began, random.Random(1), 0
    log = tmp_path / "killed.log"
    for _ in range(KILLS):
        with log.open("ab") as file:
            process = start(killed, file)
            try:
                assert process.wait(timeout=chance.uniform(0.2, 0.7) * seconds) == 0, log.read_text()
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
        check_names(killed)
        if killed.deploy.exists():  # it was done: from its beginning again
            assert results(killed)[0] == results(whole)[0]
            shutil.rmtree(killed.deploy)
            shutil.rmtree(killed.compress)
    with log.open("ab") as file:
        assert start(killed, file).wait() == 0, log.read_text()
    assert kills >= KILLS // 2
    assert "goes on at training step" in log.read_text()
    expected, found = results(whole), results(killed)
    assert found[:2] == expected[:2]
    assert all(np.array_equal(*pair) for pair in zip(found[2], expected[2], strict=True))
    left = {path.name for path in killed.compress.iterdir()}
    assert left == {f"{name}.{end}" for name in ("1_Prune", "2_Cluster") for end in ("json", "keras")} | {
        "3_Quantize.json",
        "3_Quantize.npz",
    }


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["term", "int"])
def test_deploy_that_is_stopped_in_a_step_saves_and_tells_how_to_go_on(run, tmp_path, number, code):
    stopped, log = copy_of(run, tmp_path / "001"), tmp_path / "log"
    longer = "deploy.compress=[Prune: {epochs: 100}]"
    with log.open("wb") as file:
        process = start(stopped, file, longer)
        while not list(stopped.compress.glob("checkpoints/1_Prune-*/step_00000002?")):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        os.kill(process.pid, number)
        assert process.wait(timeout=60) == code
    newest = max(int(path.name[5:]) for path in stopped.compress.glob("checkpoints/1_Prune-*/step_*"))
    told = log.read_text().splitlines()
    assert f"stopped in step 1 of 1; the next deploy goes on in the middle of it, at training step {newest}" in told
    command = f"trainkit deploy {stopped.directory} '{STEPS}' '{EXPORT}' '{longer}'"
    assert told[-1] == f"go on with: {command}"
    assert not stopped.deploy.exists()

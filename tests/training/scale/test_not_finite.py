"""A number that is not finite on two replicas: told with the way to its cause, which one device finds."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = "import sys; sys.argv[0] = 'trainkit'; from trainkit.cli import main; main()"
CONFIG = """\
version: 1
name: wild
data: {source: Sample, batch_size: 1000}
model:
  input: [28, 28, 1]
  layers:
    - Flatten
    - Dense: {units: 4, activation: relu}
    - Dense: {units: $classes, activation: softmax}
training:
  epochs: 2
  optimizer: {SGD: {learning_rate: 3e38}}
  loss: SparseCategoricalCrossentropy
  strategy: {Mirrored: {logical_cpus: 2}}
"""


def run(*arguments, folder):
    command = [sys.executable, "-c", PROGRAM, "fit", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)
    return done.returncode, done.stderr + done.stdout


@pytest.mark.slow
def test_two_replicas_tell_of_it_and_one_device_finds_the_step(tmp_path):
    (tmp_path / "wild.yaml").write_text(CONFIG)
    code, told = run("wild.yaml", folder=tmp_path)
    assert (code, "go on there with training.strategy=OneDevice" in told) == (1, True), told
    code, told = run("--resume", "runs/wild", "training.strategy=OneDevice", folder=tmp_path)
    assert (code, "error: step " in told, "lower the learning rate" in told) == (1, True, True), told

"""A number that is not finite on two replicas: told with the way to its cause, which one device finds."""

from __future__ import annotations

import pytest

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


@pytest.mark.slow
def test_two_replicas_tell_of_it_and_one_device_finds_the_step(fit_command, tmp_path):
    def run(*arguments):
        process = fit_command(*arguments, cwd=tmp_path)
        told, _ = process.communicate(timeout=200)
        return process.returncode, told

    (tmp_path / "wild.yaml").write_text(CONFIG)
    code, told = run("wild.yaml")
    assert (code, "go on there with training.strategy=OneDevice" in told) == (1, True), told
    code, told = run("--resume", "runs/wild", "training.strategy=OneDevice")
    assert (code, "error: step " in told, "lower the learning rate" in told) == (1, True, True), told

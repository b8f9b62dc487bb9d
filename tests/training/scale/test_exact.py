"""Two devices, and two processes, give what one device gives with the same global batch."""

from __future__ import annotations

import json

import pytest

from trainkit.runs import Run

TWO_CPUS = "training.strategy={Mirrored: {logical_cpus: 2}}"
STREAMED = "training.execution={data: stream, steps_per_execution: 1}"
WAYS = {"one": "training.strategy=OneDevice", "fast": TWO_CPUS, "streamed": f"{TWO_CPUS};{STREAMED}"}


@pytest.fixture(scope="module")
def histories(several_devices, tmp_path_factory):
    """Losses and metrics of each epoch by way: on one device, on two with and without the fast path."""
    found = several_devices(list(reversed(WAYS.values())), tmp_path_factory.mktemp("runs"))
    return dict(zip(reversed(WAYS), found, strict=True))


def assert_alike(found, expected, *, within):
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=within)


@pytest.mark.parametrize("way", ["fast", "streamed"])
def test_two_devices_learn_as_one_does(histories, way):
    assert_alike(histories[way], histories["one"], within=1e-5)
    assert histories["one"][0]["loss"] > histories["one"][1]["loss"] > 0


@pytest.mark.slow
def test_replicas_that_normalize_apart_are_validated_as_the_model_that_is_saved(several_devices, tmp_path):
    apart = "model.layers.batchnormalization1.synchronized=false"
    (history,) = several_devices([f"{TWO_CPUS};{apart};training.epochs=1"], tmp_path)
    saved = json.loads(Run.open(tmp_path / "exact").metrics.read_text())
    assert history[0]["val_loss"] == pytest.approx(saved["validation"]["metrics"]["loss"], abs=1e-6)


def test_two_processes_learn_as_one_does_and_only_the_chief_writes(
    histories, history_of, exact_config, fit_command, tmp_path
):
    process = fit_command(exact_config, "--runs", tmp_path, "--workers", 2)
    told, _ = process.communicate(timeout=240)
    assert process.returncode == 0, told
    run = Run.open(tmp_path / "exact")
    assert_alike(history_of(run), histories["one"], within=1e-5)
    assert told.count("epoch 1/2  loss") == 1
    assert "MultiWorkerMirrored, 2 workers (this is 0), 2 replicas; batch: 128 in all, 64 a replica" in told
    assert [path.name for path in tmp_path.glob("exact/*")] == ["001"]
    said = (run.directory / "workers/worker_1.log").read_text()
    assert "(this is 1)" in said
    assert said.count("epoch 1/2  loss") == 1
    facts = {"workers": 2, "replicas": 2, "batch": 128, "batch_of_a_replica": "64"}
    assert run.read_manifest()["strategy"] == {"name": "MultiWorkerMirrored"} | facts
    assert json.loads(run.metrics.read_text())["best"]["epoch"] == 2


@pytest.mark.slow
def test_two_devices_learn_from_a_teacher_as_one_does(several_devices, tmp_path):
    several_devices(["name=teacher;training.epochs=1"], tmp_path)
    taught = f"training.distill={tmp_path / 'teacher'};training.epochs=1"
    two, one = several_devices([f"{TWO_CPUS};{taught}", f"training.strategy=OneDevice;{taught}"], tmp_path)
    assert_alike(two, one, within=1e-5)
    assert one[0]["distillation"] > 0

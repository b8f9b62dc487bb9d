"""The child process: what it takes and brings back, and how it ends."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from trainkit.errors import InputError, OutputError, PredictionError
from trainkit.inference import IsolatedPredictor, predict_isolated
from trainkit.inference.isolated import Trial


@pytest.fixture
def child(monkeypatch, tmp_path):
    """Let a shell script stand in for the child."""

    def make(script):
        filepath = tmp_path / "python"
        filepath.write_text(f"#!/bin/sh\n{script}\n")
        filepath.chmod(filepath.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(filepath))

    return make


def test_outputs_and_facts_come_back(models, one):
    result = predict_isolated(models.folder / "one.onnx", one)
    np.testing.assert_allclose(result.outputs["digit"], models.one(one["input"]).numpy(), atol=1e-6)
    assert result.facts["inputs"]["input"]["dtype"] == "float32"
    assert result.facts["metadata"] == {}


def test_more_samples_than_a_piece_come_back_in_order(models):
    values = np.random.default_rng(1).normal(size=(150, 4, 3)).astype(np.float32)
    result = predict_isolated(models.folder / "one.tflite", {"input": values})
    np.testing.assert_allclose(result.outputs["digit"], models.one(values).numpy(), atol=1e-6)


def test_inputs_go_in_by_name(models, two):
    result = predict_isolated(models.folder / "two.onnx", {"right": two["right"], "left": two["left"]})
    assert result.outputs["total"].shape == (7, 4)


def test_bytes_travel_as_bytes(models, monkeypatch):
    sizes = []
    run = subprocess.run

    def spy(command, **arguments):
        sizes.append(os.path.getsize(os.path.join(command[-1], "inputs0.npz")))
        return run(command, **arguments)

    monkeypatch.setattr(subprocess, "run", spy)
    predict_isolated(models.folder / "one.tflite", {"input": np.zeros((1000, 4, 3), np.uint8)})
    assert 12_000 < sizes[0] < 13_000


def test_child_of_a_light_format_does_not_import_tensorflow():
    script = (
        "import sys, trainkit.inference.child, trainkit.inference.tflite, trainkit.inference.onnx;"
        "sys.exit(sorted({'tensorflow', 'tf_keras', 'keras'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.stderr.strip() == "[]"


def test_file_of_the_working_directory_does_not_stand_in_for_a_module(models, one, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert predict_isolated(models.folder / "one.tflite", one).outputs


def test_relative_path_is_that_of_the_parent(models, one, monkeypatch):
    monkeypatch.chdir(models.folder)
    assert predict_isolated("one.tflite", one).outputs


def test_wrong_shape_in_the_child_is_an_input_error(models):
    with pytest.raises(InputError, match=r"`input` must have the shape \(samples, 4, 3\)\. Received: shape \(2, 9\)\."):
        predict_isolated(models.folder / "one.tflite", {"input": np.zeros((2, 9))})


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("kill -SEGV $$", r"killed by SIGSEGV\.$"),
        ("echo INFO: hello >&2; kill -ABRT $$", r"killed by SIGABRT\.$"),
        ("echo one >&2; echo two >&2; kill -KILL $$", r"killed by SIGKILL\. two$"),
        ("echo cannot allocate >&2; exit 7", r"its process ended with exit code 7\. cannot allocate$"),
    ],
    ids=["crash", "chatter", "last words", "exit code"],
)
def test_end_of_the_child_is_a_prediction_error(script, told, child, models, one):
    child(script)
    with pytest.raises(PredictionError, match=rf"^one\.tflite cannot be run: {told}"):
        predict_isolated(models.folder / "one.tflite", one)


def test_no_sign_of_life_in_time_is_a_prediction_error(models, one):
    with pytest.raises(PredictionError, match=r"^one\.onnx cannot be run: no answer within 0\.001 seconds\.$"):
        predict_isolated(models.folder / "one.onnx", one, timeout=1e-3)


def test_no_sign_of_life_while_opening_is_a_prediction_error(models):
    with pytest.raises(PredictionError, match=r"^one\.onnx cannot be run: no answer within 0\.001 seconds\.$"):
        IsolatedPredictor(models.folder / "one.onnx", timeout=1e-3)


def test_no_room_for_the_inputs_is_an_output_error(models, one, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainkit.inference.isolated.np.savez", full)
    with pytest.raises(OutputError, match=r"cannot be written: No space left on device\."):
        predict_isolated(models.folder / "one.onnx", one)


@pytest.fixture
def fatal_predictor(child):
    """Let the process die in a predictor that is given numbers above 1000."""

    def make(death):
        script = f"""
import os, sys, time
from trainkit.inference import child, onnx
predict = onnx.ONNXPredictor.predict
def die(self, inputs):
    if inputs["input"].max() > 1000:
        {death}
    return predict(self, inputs)
onnx.ONNXPredictor.predict = die
child.main(child.Path(sys.argv[1]))
"""
        child(f"exec {sys.executable} -P - \"$4\" <<'END'{script}END")

    return make


@pytest.mark.parametrize(
    ("death", "timeout", "told"),
    [
        ("os.kill(os.getpid(), 11)", 60, "killed by SIGSEGV."),
        ("time.sleep(60)", 3, "no answer within 3 seconds."),
        ("os._exit(7)", 60, "its process ended with exit code 7."),
    ],
    ids=["crash", "hang", "exit"],
)
def test_death_in_a_trial_leaves_what_was_answered_before(death, timeout, told, fatal_predictor, models, one):
    fatal_predictor(death)
    large = {"input": np.full_like(one["input"], 2000)}
    trials = {"small": Trial(one, 1), "large": Trial(large, 1), "third": Trial(one, 1), "fourth": Trial(one, 7)}
    result = predict_isolated(models.folder / "one.onnx", one, trials=trials, timeout=timeout)
    expected = models.one(one["input"]).numpy()
    np.testing.assert_allclose(result.outputs["digit"], expected, atol=1e-6)
    np.testing.assert_allclose(result.trials["small"]["digit"], expected, atol=1e-6)
    assert result.facts["inputs"]["input"]["dtype"] == "float32"
    assert result.trials["large"] == told
    assert result.trials["third"] == result.trials["fourth"] == "not run: the process ended in 'large'."


def test_death_in_the_first_run_is_a_prediction_error(fatal_predictor, models, one):
    fatal_predictor("os.kill(os.getpid(), 11)")
    large = {"input": np.full_like(one["input"], 2000)}
    with pytest.raises(PredictionError, match=r"^one\.onnx cannot be run: killed by SIGSEGV\.$"):
        predict_isolated(models.folder / "one.onnx", large, trials={"small": Trial(one, 1)})


def test_file_is_read_once_more_only_for_what_it_is_made_of(models, one):
    """Of which `onnx` reads it, besides ONNX Runtime."""
    filepath = models.folder / "one.onnx"
    assert "float_kernels" not in IsolatedPredictor(filepath).facts
    assert "float_kernels" not in predict_isolated(filepath, one).facts
    assert predict_isolated(filepath, one, inside=True).facts["float_kernels"]

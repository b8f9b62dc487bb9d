"""The whole way, by the commands, as a person goes it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import trainkit
from trainkit.data.sources.sample import sample


@pytest.fixture(scope="module")
def deployed(small_config, tmp_path_factory, command):
    """A directory in which `fit` and `deploy` were run, and what they printed."""
    folder = tmp_path_factory.mktemp("work")
    fitted = command("fit", small_config, "training.epochs=4", cwd=folder)
    assert fitted.returncode == 0, fitted.stderr
    ended = command("deploy", "runs/small", "deploy.export.ONNX.opset=15", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder, fitted, ended


def test_fit_ends_with_the_next_command(deployed):
    _, fitted, _ = deployed
    assert fitted.stdout.splitlines()[-1] == "next: trainkit deploy runs/small/001"
    assert "epoch 4/4" in fitted.stdout
    assert fitted.stderr == ""


def test_deploy_leaves_the_files_and_their_proof(deployed):
    folder, _, _ = deployed
    names = {path.name for path in (folder / "runs/small/001/deploy").iterdir()}
    files = {"small_float32.tflite", "small_int8.tflite", "small.onnx", "labels.txt"}
    assert names == files | {"verify.json", "report.html", "MODEL_CARD.md"}


def test_deploy_shows_a_row_a_file(deployed):
    _, _, ended = deployed
    for name in ("small_float32.tflite", "small_int8.tflite", "small.onnx"):
        assert name in ended.stdout
    assert ended.stderr == ""


def test_deploy_writes_class_names(deployed):
    folder, _, _ = deployed
    import onnxruntime

    directory = folder / "runs/small/001/deploy"
    assert (directory / "labels.txt").read_text().splitlines() == list("0123456789")
    session = onnxruntime.InferenceSession(str(directory / "small.onnx"))
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == list("0123456789")


def test_deploy_measures_what_another_program_measures(deployed):
    """The accuracy of the int8 file, run here by LiteRT and quantized by hand."""
    from ai_edge_litert.interpreter import Interpreter

    folder, _, _ = deployed
    directory = folder / "runs/small/001/deploy"
    test = sample().test.columns
    images, labels = test["image"].array, test["label"].array
    interpreter = Interpreter(str(directory / "small_int8.tflite"))
    runner = interpreter.get_signature_runner()
    answers = [runner(input=image[np.newaxis].astype("float32"))["digit"].argmax() for image in images]
    verified = {file["file"]: file for file in json.loads((directory / "verify.json").read_text())["files"]}
    assert verified["small_int8.tflite"]["accuracy"] == pytest.approx((np.array(answers) == labels).mean())
    assert verified["small_int8.tflite"]["bytes"] == (directory / "small_int8.tflite").stat().st_size


def test_load_answers_like_the_model(deployed):
    folder, _, _ = deployed
    images = sample().test.columns["image"].array[:20]
    run = folder / "runs/small/001"
    keras = trainkit.load(run / "model.keras")(images)
    assert keras.shape == (20, 10)
    for name in ("small_float32.tflite", "small.onnx"):
        np.testing.assert_allclose(trainkit.load(run / "deploy" / name)(images), keras, atol=1e-5)
    int8 = trainkit.load(run / "deploy/small_int8.tflite")(images)
    np.testing.assert_allclose(int8, keras, atol=0.15)


def test_deploy_of_another_file_refuses_keys_of_the_training(deployed, command):
    folder, _, _ = deployed
    ended = command("deploy", "runs/small", "training.epochs=3", cwd=folder)
    assert ended.returncode == 2
    assert "deploy takes overrides of `deploy.` keys only" in ended.stderr


def test_deploy_that_fails_leaves_the_files_of_the_last_one(deployed, command):
    folder, _, _ = deployed
    before = sorted(path.name for path in (folder / "runs/small/001/deploy").iterdir())
    ended = command("deploy", "runs/small", "deploy.export=[ONNX, ONNX]", cwd=folder)
    assert ended.returncode == 2
    assert "deploy.export[1]: writes small.onnx, as deploy.export[0] does" in ended.stderr
    assert sorted(path.name for path in (folder / "runs/small/001/deploy").iterdir()) == before


def test_deploy_refuses_a_run_that_did_not_finish(deployed, tmp_path, command):
    folder, _, _ = deployed
    shutil.copytree(folder / "runs/small/001", tmp_path / "unfinished")
    (tmp_path / "unfinished/model.keras").unlink()
    ended = command("deploy", tmp_path / "unfinished", cwd=folder)
    assert ended.returncode == 2
    assert "its training did not finish" in ended.stderr


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="int"),
        pytest.param(signal.SIGTERM, 143, id="term", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, id="hup", marks=pytest.mark.slow),
    ],
)
def test_fit_that_is_stopped_by_a_signal_says_so(sent, code, small_config, tmp_path):
    entry = [sys.executable, "-c", "from trainkit.cli import main; main()", "fit", str(small_config)]
    with subprocess.Popen(
        [*entry, "training.epochs=500"], cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        lines = [
            line
            for line in iter(process.stdout.readline, "")
            if not line.startswith("epoch   2/500") or process.send_signal(sent)
        ]
        errors = process.stderr.read()
    assert process.returncode == code
    assert lines[-2].startswith("stopped after ")
    assert lines[-1] == "go on with: trainkit fit --resume runs/small/001\n"
    assert "Traceback" not in errors
    outcome = json.loads((tmp_path / "runs/small/001/manifest.json").read_text())["outcome"]
    assert outcome.startswith(("KeyboardInterrupt", "SystemExit"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("version: 1\n  name: x", "2:7: this is not YAML: mapping values are not allowed here"),
        ("- 1", "a configuration must be a mapping"),
        ("version: 1\nnam: x\n", "2:1    nam: unknown key. Did you mean 'name'?"),
    ],
    ids=["empty", "yaml", "list", "key"],
)
def test_fit_ends_with_2_where_the_config_is_wrong(text, told, tmp_path, command):
    (tmp_path / "bad.yaml").write_text(text)
    ended = command("fit", "bad.yaml", cwd=tmp_path)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]

"""`deploy` on files of integers that fall short, `exclude: auto`, and what stands in the files."""

from __future__ import annotations

import io
import json
import shutil
from importlib import import_module

import pytest
from rich.console import Console

import trainkit
from trainkit.config import load_config
from trainkit.deploy.deploy import check_deploy
from trainkit.errors import ConfigError, InputError, PromiseError
from trainkit.runs import Run
from trainkit.training import prepare

INT8 = "deploy.export=[{TFLite: {precision: int8}}]"
DATA = """\
version: 1
name: digits
data: {source: {Npz: {path: digits.npz, test: digits_test.npz}}, validation_split: 0.4}
"""


@pytest.fixture(scope="module")
def spoilt(bench, planter, tmp_path_factory):
    """A model file with huge weights in `dense2`, and the config of its data."""
    folder = tmp_path_factory.mktemp("spoilt")
    bench.save(folder)
    (folder / "data.yaml").write_text(DATA)
    planter.weights("dense", giver="dense1", layer="dense2").save(folder / "model.keras")
    return folder


def deploy(subject, *overrides, **options):
    console = Console(file=io.StringIO(), width=200)
    try:
        return trainkit.deploy(subject, overrides, console=console, **options), console.file.getvalue()
    except PromiseError as error:
        return error, console.file.getvalue()


def test_a_file_that_falls_short_is_explained_and_then_repaired(spoilt):
    error, told = deploy(spoilt / "model.keras", INT8, data=spoilt / "data.yaml")
    assert isinstance(error, PromiseError)
    assert error.exit_code == 3
    assert "dense2 (Dense): weight outlier: the largest weight of channel " in told
    assert "exclude: [dense2] does it" in told
    assert "\n  - TFLite: {precision: int8, exclude: [dense2]}\n" in told
    written = json.loads((spoilt / "model_deploy/sensitivity.json").read_text())
    assert (written["version"], written["file"], written["measured_on"]) == (1, "digits_int8.tflite", "validation")
    assert written["layers"][0]["layer"] == "dense2"
    assert written["exclude"] == ["dense2"]
    assert "dense2" in (spoilt / "model_deploy/sensitivity.svg").read_text()
    line = "deploy.export=[{TFLite: {precision: int8, exclude: [dense2]}}]"
    deployment, told = deploy(spoilt / "model.keras", line, data=spoilt / "data.yaml")
    assert deployment.files[0].parity.passed, deployment.files[0].parity.reason
    assert "digits_int8.tflite: dense2 computed in float32, all others in int8" in told
    assert not (spoilt / "model_deploy/sensitivity.json").exists()


@pytest.mark.slow
def test_auto_takes_out_what_it_has_to_and_says_why(spoilt):
    line = "deploy.export=[{TFLite: {precision: int8, exclude: auto}}]"
    deployment, told = deploy(spoilt / "model.keras", line, data=spoilt / "data.yaml")
    (file,) = json.loads((deployment.directory / "verify.json").read_text())["files"]
    assert file["parity"]["passed"]
    assert file["islands"]["exclude"] == file["islands"]["layers"] == ["dense2"]
    auto = file["islands"]["auto"]
    assert auto["samples"] == 400
    assert not auto["before"]["passed"]
    assert auto["after"]["passed"]
    assert [step["layers"] for step in auto["steps"]] == [["dense2"]]
    assert "digits_int8.tflite: dense2 in float32, found on 400 samples with " in told


def test_explain_says_of_a_good_file_that_it_is_good(small_run, tmp_path):
    shutil.copytree(small_run.directory, tmp_path / "001")
    deployment, told = deploy(Run(tmp_path / "001").directory, INT8, explain=True)
    assert deployment.files[0].parity.passed
    assert (
        "small_int8.tflite is within its limits on these samples with all layers in int8: nothing needs to be" in told
    )
    written = json.loads((deployment.directory / "sensitivity.json").read_text())
    assert written["exclude"] == []
    assert {one["layer"] for one in written["layers"]} >= {"conv2d1", "conv2d2", "digit"}


@pytest.mark.slow
def test_explain_works_for_numbers_and_several_outputs(two_run, tmp_path):
    shutil.copytree(two_run.directory, tmp_path / "001")
    deployment, _ = deploy(Run(tmp_path / "001").directory, INT8, explain=True)
    written = json.loads((deployment.directory / "sensitivity.json").read_text())
    by_name = {one["layer"]: one for one in written["layers"]}
    assert by_name["trunk"]["alone"]["error"] > 0
    assert by_name["size"]["kernel"] > 0
    assert by_name["left"]["class_name"] == "InputLayer"


def test_explain_needs_a_file_of_integers(small_run):
    with pytest.raises(InputError, match=r"--explain is about int8 files\. deploy\.export has none"):
        trainkit.deploy(small_run.directory, ["deploy.export=[ONNX]"], explain=True)


@pytest.mark.parametrize("command", ["check", "deploy"])
@pytest.mark.parametrize(
    ("exporter", "told"),
    [
        ("{precision: int8, exclude: [conv2d9]}", r"must fit a layer\. Received: 'conv2d9'\. Did you mean 'conv2d"),
        ("{exclude: [conv2d1]}", r"must be left out where `precision` is float32\. Set `precision: int8`, or"),
    ],
    ids=["unknown", "precision"],
)
def test_patterns_are_refused_at_their_line(command, exporter, told, small_config, small_run, tmp_path, monkeypatch):
    lines = small_config.read_text().replace("deploy: {benchmark: false}\n", "")
    filepath = tmp_path / "small.yaml"
    filepath.write_text(f"{lines}deploy:\n  export:\n    - TFLite: {exporter}\n")
    line = len(lines.splitlines()) + 3
    if command == "check":
        config = load_config(filepath)
        with pytest.raises(ConfigError, match=rf" {line}:\d+ +deploy\.export\[0\]\.TFLite\.exclude: {told}"):
            check_deploy(config, prepare(config).model)
    else:
        with pytest.raises(ConfigError, match=rf"deploy\.export\[0\].*{told}"):
            trainkit.deploy(small_run.directory, [f"deploy.export=[{{TFLite: {exporter}}}]"])


def test_exclude_is_refused_beside_quantize(small_config):
    with pytest.raises(ConfigError, match=r"must be left out where deploy\.compress has Quantize, which rounds every"):
        load_config(
            small_config,
            ["deploy.compress=[Quantize]", "deploy.export=[{TFLite: {precision: int8, exclude: [conv2d1]}}]"],
        )


@pytest.mark.parametrize("value", ["conv2d1", "[1]", "{a: b}"])
def test_exclude_is_auto_or_a_list(value, small_config):
    with pytest.raises(ConfigError, match=r"exclude: must be auto, or a list of texts"):
        load_config(small_config, [f"deploy.export=[{{TFLite: {{precision: int8, exclude: {value}}}}}]"])


def test_a_file_that_cannot_be_measured_is_told(small_run, tmp_path, monkeypatch):
    place = import_module("trainkit.deploy.sensitivity.explain")

    def fail(*arguments, **keywords):
        raise place.PredictionError("the file of integers cannot be run by LiteRT: no kernel.")

    monkeypatch.setattr(place, "find_ranges", fail)
    shutil.copytree(small_run.directory, tmp_path / "001")
    deployment, told = deploy(Run(tmp_path / "001").directory, INT8, explain=True)
    assert deployment.files[0].parity.passed
    assert "what int8 costs the layers of small_int8.tflite could not be measured: the file of integers" in told

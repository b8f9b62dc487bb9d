"""Files that were proved are kept until the whole deploy is done."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import asdict, replace
from importlib import import_module

import pytest
from rich.console import Console

import trainkit
from trainkit.deploy import exports as module
from trainkit.deploy.compress.keeper import Kept
from trainkit.deploy.compress.result import Promise
from trainkit.deploy.exports import Exports
from trainkit.errors import ExportError, OutputError, PredictionError
from trainkit.runs import Run

PRECISIONS = "deploy.export=[TFLite, ONNX]"


@pytest.fixture
def run(small_run, tmp_path):
    return Run(shutil.copytree(small_run.directory, tmp_path / "001"))


@pytest.fixture
def kept(tmp_path, files, reports):
    """The ONNX file of `files`, kept with its report."""
    exports = Exports(tmp_path / "work" / "exports")
    promise = Promise("Prune", "conv", "kernel", "zeros", 3, 9)
    report = replace(reports["onnx"], promises=(Kept(promise, 3, holds=True),))

    def export(filepath):
        shutil.copy(files["onnx"], filepath)
        return report

    exports.make("digits.onnx", "key", export)
    return exports, report


def test_a_file_that_was_kept_is_found_with_its_report(kept):
    exports, report = kept
    found = exports.find("digits.onnx", "key")
    assert found == report
    assert asdict(found) == asdict(report)


def test_a_file_of_another_key_is_not_found(kept):
    assert kept[0].find("digits.onnx", "another") is None
    assert kept[0].find("digits.tflite", "key") is None


@pytest.mark.parametrize("name", ["digits.onnx", "record.json"])
def test_a_file_that_is_damaged_is_not_found(kept, tmp_path, name):
    filepath = tmp_path / "work/exports/digits.onnx" / name
    content = bytearray(filepath.read_bytes())
    content[-content[::-1].index(b"9"[0]) - 1] ^= 1  # in the record another digit: JSON all the same
    filepath.write_bytes(content)
    assert kept[0].find("digits.onnx", "key") is None


@pytest.mark.parametrize("links", [True, False], ids=["links", "copies"])
def test_a_file_stands_in_another_directory_without_taking_more_of_the_disk(kept, tmp_path, files, links, monkeypatch):
    def refuse(*paths):
        raise OSError

    if not links:
        monkeypatch.setattr(module.os, "link", refuse)
    (tmp_path / "deploy").mkdir()
    kept[0].put("digits.onnx", tmp_path / "deploy")
    assert [path.name for path in (tmp_path / "deploy").iterdir()] == ["digits.onnx"]
    assert (tmp_path / "deploy/digits.onnx").read_bytes() == files["onnx"].read_bytes()
    assert (tmp_path / "deploy/digits.onnx").stat().st_nlink == (2 if links else 1)
    kept[0].clear()
    assert not (tmp_path / "work").exists()
    assert (tmp_path / "deploy/digits.onnx").stat().st_nlink == 1


def test_an_export_that_is_broken_off_leaves_nothing(tmp_path):
    def fail(filepath):
        filepath.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Exports(tmp_path).make("a.onnx", "key", fail)
    assert list(tmp_path.iterdir()) == []


def deploy(run, *overrides, **options):
    console = Console(file=io.StringIO(), width=200)
    try:
        return trainkit.deploy(run.directory, overrides, console=console, **options), console.file.getvalue()
    except BaseException as error:
        error.told = console.file.getvalue()
        raise


def fail_at(monkeypatch, count, error):
    """Let the proof of a file fail."""
    place, seen = import_module("trainkit.deploy.production"), []
    real = place.verify_file

    def verify(*arguments, **keywords):
        seen.append(arguments)
        if len(seen) == count:
            raise error
        return real(*arguments, **keywords)

    monkeypatch.setattr(place, "verify_file", verify)
    return seen


def test_deploy_that_is_stopped_in_its_second_export_makes_only_that_again(run, monkeypatch):
    trainkit.deploy(run.directory, [PRECISIONS], console=Console(file=io.StringIO()))
    whole = {path.name: path.read_bytes() for path in run.deploy.iterdir()}
    shutil.rmtree(run.deploy)
    proved = fail_at(monkeypatch, 2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt) as caught:
        deploy(run, PRECISIONS)
    assert caught.value.told.endswith(f"\ngo on with: trainkit deploy {run.directory} '{PRECISIONS}'\n")
    assert not run.deploy.exists()
    assert [path.name for path in (run.compress / "exports").iterdir()] == ["small_float32.tflite"]
    _, told = deploy(run, PRECISIONS)
    assert len(proved) == 3
    assert "small_float32.tflite, as before\nexporting small.onnx\n" in told
    assert {path.name: path.read_bytes() for path in run.deploy.iterdir()} == whole
    assert not run.compress.exists()
    assert {path.stat().st_nlink for path in run.deploy.iterdir()} == {1}


def test_deploy_goes_on_with_no_file_of_another_keras(run, monkeypatch):
    proved = fail_at(monkeypatch, 2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        deploy(run, PRECISIONS)
    place = import_module("trainkit.deploy.packages")
    real = place.version
    monkeypatch.setattr(place, "version", lambda package: "2.99" if package == "keras" else real(package))
    _, told = deploy(run, PRECISIONS)
    assert len(proved) == 4
    assert "as before" not in told


def refuse(monkeypatch, end, kind=ExportError):
    """Let every file whose name ends so be one that cannot be made."""
    place = import_module("trainkit.deploy.production")
    real = place.build_registered

    def build(node, *arguments, **keywords):
        if keywords["filepath"].name.endswith(end):
            raise kind(f"{keywords['filepath'].name} cannot be written: there is no operation for Erfinv.")
        return real(node, *arguments, **keywords)

    monkeypatch.setattr(place, "build_registered", build)


def test_deploy_makes_all_files_but_the_one_that_cannot_be_made(run, monkeypatch):
    refuse(monkeypatch, ".onnx")
    with pytest.raises(
        ExportError, match=r"^small\.onnx cannot be written: .*Erfinv\.\nThe other files are in"
    ) as caught:
        deploy(run, "deploy.export=[ONNX, TFLite]")
    assert caught.value.exit_code == 1
    assert "error: small.onnx cannot be written" in caught.value.told
    assert (run.deploy / "small_float32.tflite").exists()
    record = json.loads((run.deploy / "verify.json").read_text())
    assert [file["file"] for file in record["files"]] == ["small_float32.tflite"]
    reason = "small.onnx cannot be written: there is no operation for Erfinv."
    assert record["failed"] == [{"file": "small.onnx", "reason": reason}]
    page = (run.deploy / "report.html").read_text()
    assert "✗ 1 of 2 files" in page
    assert f'✗ not made</span><span class="sub">{reason}</span>' in page
    assert f"`small.onnx` could not be made: {reason}" in (run.deploy / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize("kind", [ExportError, PredictionError])
def test_int8_file_that_cannot_be_made_is_explained_by_that(run, kind, monkeypatch):
    refuse(monkeypatch, "_int8.tflite", kind)
    with pytest.raises(ExportError, match=r"^small_int8\.tflite cannot be written") as caught:
        deploy(run, "deploy.export=[ONNX, TFLite: {precision: int8}]", explain=True)
    reason = "small_int8.tflite cannot be written: there is no operation for Erfinv."
    assert f"what int8 costs the layers of small_int8.tflite could not be measured: {reason}" in caught.value.told
    assert json.loads((run.deploy / "sensitivity.json").read_text())["failure"] == reason
    assert json.loads((run.deploy / "verify.json").read_text())["calibration"] is None


def test_deploy_that_can_make_no_file_leaves_those_of_before(run, monkeypatch):
    trainkit.deploy(run.directory, ["deploy.export=[TFLite]"], console=Console(file=io.StringIO()))
    before = {path.name: path.stat().st_ino for path in run.deploy.iterdir()}
    refuse(monkeypatch, ".onnx")
    with pytest.raises(ExportError, match=r"Erfinv\.$"):
        deploy(run, "deploy.export=[ONNX]")
    assert {path.name: path.stat().st_ino for path in run.deploy.iterdir()} == before


def test_deploy_that_could_not_write_ends_with_1_and_leaves_the_files_before(run, monkeypatch):
    trainkit.deploy(run.directory, ["deploy.export=[ONNX]"], console=Console(file=io.StringIO()))
    before = {path.name: path.stat().st_ino for path in run.deploy.iterdir()}
    fail_at(monkeypatch, 2, OutputError("the disk is read-only."))
    with pytest.raises(OutputError, match="the disk is") as caught:
        deploy(run, PRECISIONS)
    assert caught.value.exit_code == 1
    assert "go on with: trainkit deploy" in caught.value.told
    assert {path.name: path.stat().st_ino for path in run.deploy.iterdir()} == before
    assert not [path for path in run.directory.iterdir() if path.name.startswith(f".{os.getpid()}")]

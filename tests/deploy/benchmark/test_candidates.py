"""Which files are meant."""

from __future__ import annotations

import json
import shutil

import pytest

from trainkit.deploy.benchmark.candidates import find_candidates
from trainkit.errors import InputError, RunError
from trainkit.runs import Run


@pytest.fixture
def run(small_run, tmp_path):
    """A copy of the small run, with files that stand for exported ones."""
    run = Run(shutil.copytree(small_run.directory, tmp_path / "small/001"))
    shutil.rmtree(run.deploy, ignore_errors=True)
    (run.deploy / "small_saved_model").mkdir(parents=True)
    names = ["small.onnx", "small_float32.tflite", "compressed.keras", "labels.txt", "small_saved_model/saved_model.pb"]
    for name in names:
        (run.deploy / name).write_bytes(b"x")
    (run.deploy / "rejected").mkdir()
    (run.deploy / "rejected/small_int8.tflite").write_bytes(b"x")
    order = ["small_saved_model", "small_float32.tflite", "small.onnx"]
    (run.deploy / "verify.json").write_text(json.dumps({"files": [{"file": name} for name in order]}))
    return run


def test_a_run_is_its_model_and_its_files_in_the_order_of_the_config(run):
    found = find_candidates([run.directory])
    labels = ["model.keras", "small_saved_model", "small_float32.tflite", "small.onnx"]
    assert [candidate.label for candidate in found] == labels
    assert {candidate.run.directory for candidate in found} == {run.directory}


def test_a_directory_of_runs_is_the_newest(run):
    assert find_candidates([run.directory.parent])[0].filepath == run.model.absolute()


def test_a_deployed_directory_is_its_files(run):
    found = find_candidates([run.deploy])
    assert [one.label for one in found] == ["small_saved_model", "small_float32.tflite", "small.onnx"]
    assert found[0].run.directory == run.directory


def test_files_of_one_name_are_told_apart_by_their_folders(run, tmp_path):
    other = tmp_path / "small/002/deploy"
    shutil.copytree(run.deploy, other)
    found = find_candidates([run.deploy / "small.onnx", other / "small.onnx", other / "small_float32.tflite"])
    assert [one.label for one in found] == ["001/deploy/small.onnx", "002/deploy/small.onnx", "small_float32.tflite"]


def test_a_file_that_is_named_twice_is_timed_once(run):
    assert len(find_candidates([run.deploy / "small.onnx", run.directory])) == 4


def test_a_file_elsewhere_belongs_to_no_run(run, tmp_path):
    shutil.copy(run.deploy / "small.onnx", tmp_path / "lone.onnx")
    (found,) = find_candidates([tmp_path / "lone.onnx"])
    assert (found.run, found.config) == (None, None)


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("missing.tflite", InputError, "which does not exist"),
        ("notes.txt", InputError, "must end with one of"),
        ("empty", RunError, "is not a run directory"),
    ],
    ids=["missing", "suffix", "directory"],
)
def test_what_is_no_model_is_refused(name, error, told, tmp_path):
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(error, match=told):
        find_candidates([tmp_path / name])


def test_nothing_at_all_is_refused():
    with pytest.raises(InputError, match=r"Received: none\."):
        find_candidates([])

"""`trainkit evaluate`: the table, the file, errors."""

from __future__ import annotations

import json

import pytest

import trainkit


def test_evaluate_shows_and_writes_what_it_measures(command, small_run, tmp_path):
    ended = command("evaluate", small_run.directory, "--output", tmp_path / "figures.json")
    assert (ended.code, ended.err) == (0, "")
    written = json.loads((tmp_path / "figures.json").read_text())
    assert written == trainkit.evaluate(small_run.directory)
    told = "  ".join(f"{name} {value:.4f}" for name, value in written["metrics"].items())
    assert ended.out.splitlines()[0] == f"{small_run.model}, test: {told}"
    assert f"{written['samples']:,} samples" in ended.out
    assert "most confused: " in ended.out


def test_evaluate_takes_the_split_that_is_asked_for(command, small_run):
    ended = command("evaluate", small_run.directory, "--split", "validation")
    assert f"{small_run.model}, validation: loss" in ended.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "nowhere does not exist. Name a run"),
        (["."], "is not a run directory: it has no manifest.json"),
        (["broken.tflite"], "broken.tflite cannot be opened by LiteRT"),
        (["broken.tflite", "--output", "figures.csv"], "`output` must end with .json. Received: 'figures.csv'"),
        (["broken.tflite", "--output", "none/figures.json"], "there is no folder"),
        (["broken.tflite", "--split", "dev"], "Invalid value for '--split'"),
    ],
    ids=["missing", "no-run", "broken", "suffix", "folder", "split"],
)
def test_evaluate_ends_with_2_where_the_input_is_wrong(arguments, told, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.tflite").write_bytes(b"no model" * 20)
    ended = command("evaluate", *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["broken.tflite"]

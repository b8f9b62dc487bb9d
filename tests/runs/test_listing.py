"""What the runs below a directory say of themselves."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from trainkit.errors import InputError
from trainkit.runs.listing import find_runs, list_runs

BEST = {"epoch": 2, "monitor": "val_loss", "value": 0.5}
CLASSES = {"samples": 10, "metrics": {"loss": 0.5, "top3": 1.0}, "accuracy": 0.9, "classes": ["a", "b"]}
NUMBERS = {"samples": 10, "metrics": {"loss": 0.5, "mean_absolute_error": 0.25, "cosine": 0.75}}


def write(directory, **files):
    """Write the files of a finished run, with others in place of some; None leaves one out."""
    manifest = {"outcome": "finished", "began": "2026-05-01T10:00:00+00:00", "ended": "2026-05-01T10:02:05+00:00"}
    contents = {
        "manifest.json": manifest,
        "metrics.json": {"best": BEST, "validation": CLASSES, "test": CLASSES},
        "history.csv": "epoch,loss\n1,0.7\n2,0.5\n3,0.6\n",
        "model.keras": "",
    } | files
    for name, content in contents.items():
        filepath = directory / name
        filepath.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            filepath.write_text(content if isinstance(content, str) else json.dumps(content))
    return directory


def manifest(outcome, **facts):
    return {"outcome": outcome, "began": "2026-05-01T10:00:00+00:00"} | facts


def only(root):
    (facts,) = list_runs(root)
    return facts


def test_list_runs_tells_of_a_finished_run(tmp_path):
    files = [{"parity": {"passed": True}}, {"parity": {"passed": False}}, {"parity": {"passed": True}}]
    directory = write(tmp_path / "digits/003", **{"deploy/verify.json": {"files": files}})
    facts = only(tmp_path)
    assert (facts.name, facts.directory, facts.outcome) == ("digits/003", directory, "finished")
    assert facts.began == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert (facts.seconds, facts.epochs, facts.best) == (125.0, 3, BEST)
    assert facts.metrics["test"] == {"loss": 0.5, "top3": 1.0, "accuracy": 0.9}
    assert (facts.files, facts.files_passed) == (3, 2)


@pytest.mark.parametrize(
    ("result", "headline"),
    [
        (CLASSES, {"accuracy": 0.9}),
        (NUMBERS, {"loss": 0.5, "mean_absolute_error": 0.25}),
        ({"metrics": {"loss": 0.5, "a_loss": 0.1, "a_mae": 0.2}}, {"loss": 0.5, "a_mae": 0.2}),
        ({"metrics": {"loss": 0.5}}, {"loss": 0.5}),
    ],
    ids=["classes", "numbers", "several-losses", "no-metric"],
)
def test_headline_is_accuracy_or_loss_and_first_metric(result, headline, tmp_path):
    write(tmp_path / "a/001", **{"metrics.json": {"best": BEST, "validation": result}})
    assert only(tmp_path).headline("validation") == headline
    assert only(tmp_path).headline("test") == {}


def test_list_runs_tells_of_an_error(tmp_path):
    error = "TrainingError: no epoch had a finite val_loss"
    ended = manifest(error, ended="2026-05-01T10:00:09+00:00")
    write(tmp_path / "a/001", **{"manifest.json": ended, "metrics.json": None, "history.csv": None})
    facts = only(tmp_path)
    assert (facts.outcome, facts.seconds, facts.epochs, facts.best) == (error, 9.0, 0, None)
    assert facts.files is None


LOCKING = """
import pathlib, sys, time
from trainkit.runs import Run
with Run(pathlib.Path(sys.argv[1])).lock():
    print("ready", flush=True)
    time.sleep(60)
"""


def test_list_runs_tells_running_from_killed(tmp_path):
    began = datetime.now(UTC) - timedelta(seconds=100)
    running = manifest("running", began=began.isoformat())
    files = {
        "manifest.json": running,
        "metrics.json": None,
        "model.keras": None,
        "checkpoints/step_000000007/state.json": {"best": BEST | {"step": 5}},
    }
    directory = write(tmp_path / "a/001", **files)
    assert (only(tmp_path).outcome, only(tmp_path).seconds) == ("killed", None)
    command = [sys.executable, "-c", LOCKING, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout.readline() == "ready\n"
        facts = only(tmp_path)
        owner.kill()
    assert (facts.outcome, facts.best, facts.epochs) == ("running", BEST, 3)
    assert 100 <= facts.seconds < 160
    assert only(tmp_path).outcome == "killed"  # the lock's file is still there


def test_list_runs_leaves_a_run_as_it_is(tmp_path):
    write(tmp_path / "a/001", **{"manifest.json": manifest("running")})
    before = sorted(tmp_path.rglob("*"))
    assert only(tmp_path).outcome == "killed"
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"manifest.json": None}, "it has no manifest.json"),
        ({"manifest.json": "{"}, "manifest.json is not what a run writes: Expecting property name"),
        ({"manifest.json": []}, "manifest.json is not what a run writes: list indices"),
        ({"manifest.json": {"short_name": "app", "icons": []}}, "manifest.json has no 'outcome'"),
        ({"manifest.json": manifest("finished", began="May")}, "manifest.json is not what a run writes: Invalid iso"),
        ({"manifest.json": "[" * 100_000}, "manifest.json is not what a run writes: maximum recursion"),
        ({"metrics.json": None}, "it has no metrics.json"),
        ({"metrics.json": {"best": {"epoch": 1}}}, " has no 'monitor'"),
        ({"metrics.json": {"best": BEST, "test": 3}}, "metrics.json is not what a run writes"),
        ({"model.keras": None}, "it has no model.keras"),
        ({"deploy/verify.json": {"files": [{}]}}, "verify.json has no 'parity'"),
    ],
    ids=["none", "half", "list", "foreign", "date", "deep", "metrics", "best", "number", "model", "verify"],
)
def test_list_runs_says_what_is_damaged(files, reason, tmp_path):
    write(tmp_path / "a/001")
    write(tmp_path / "a/002", **files)
    whole, damaged = list_runs(tmp_path)
    assert whole.outcome == "finished"
    assert damaged.name == "a/002"
    assert damaged.outcome.startswith("damaged: ")
    assert reason in damaged.outcome


def test_list_runs_says_that_a_file_is_none(tmp_path):
    write(tmp_path / "a/001", **{"manifest.json": None})
    (tmp_path / "a/001/manifest.json").mkdir()
    assert only(tmp_path).outcome == "damaged: manifest.json cannot be read: Is a directory"


@pytest.mark.parametrize("root", ["runs", "runs/digits", "runs/digits/001"], ids=["all", "name", "run"])
def test_find_runs_gives_a_run_one_name(root, tmp_path, monkeypatch):
    directory = write(tmp_path / "runs/digits/001")
    assert find_runs(tmp_path / root) == {"digits/001": directory}
    monkeypatch.chdir(tmp_path / root)
    assert list(find_runs(type(tmp_path)())) == ["digits/001"]


def test_find_runs_sorts_by_number_and_looks_deep(tmp_path):
    for name in ("b/999", "b/1000", "b/002", "a/b/c/001", "c/001"):
        write(tmp_path / name)
    write(tmp_path / "a/b/c/d/001")  # too deep
    assert list(find_runs(tmp_path)) == ["a/b/c/d", "a/b/c/001", "b/002", "b/999", "b/1000", "c/001"]


def test_find_runs_names_directories_that_are_none(tmp_path):
    write(tmp_path / "runs/a/001")
    for name in ("a/002", "notes/deep", ".hidden", "b/003"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    (tmp_path / "runs/file").touch()
    assert list(find_runs(tmp_path / "runs")) == ["a/001", "a/002", "b/003", "runs/notes"]


def test_find_runs_takes_no_numbered_folder_of_data_for_a_run(tmp_path):
    run = write(tmp_path / "runs/small/001")
    write(tmp_path / "data/digits/0", **dict.fromkeys(("manifest.json", "metrics.json", "history.csv", "model.keras")))
    (tmp_path / "data/digits/0/1.png").touch()
    (tmp_path / "half/001").mkdir(parents=True)
    (tmp_path / "half/001/config.yaml").touch()
    assert set(find_runs(tmp_path).values()) == {run, tmp_path / "half/001", tmp_path / "data"}


def test_find_runs_follows_no_link_to_what_it_has_seen(tmp_path):
    write(tmp_path / "runs/a/001")
    write(tmp_path / "disk/b/001")
    (tmp_path / "runs/a/latest").symlink_to("001")
    (tmp_path / "runs/a/loop").symlink_to(tmp_path / "runs")
    (tmp_path / "runs/b").symlink_to(tmp_path / "disk/b")
    assert list(find_runs(tmp_path / "runs")) == ["a/001", "b/001"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_list_runs_says_that_a_run_is_not_ours_to_read(tmp_path):
    directory = write(tmp_path / "a/001")
    (directory / "manifest.json").chmod(0)
    assert only(tmp_path).outcome == "damaged: manifest.json cannot be read: Permission denied"


@pytest.mark.parametrize(("name", "told"), [("nowhere", "does not exist"), ("file", "is not a directory")])
def test_list_runs_refuses_what_is_no_directory(name, told, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=rf"{name} {told}\. Name the directory that `trainkit fit` made"):
        list_runs(tmp_path / name)


def test_list_runs_finds_none_in_an_empty_directory(tmp_path):
    assert list_runs(tmp_path) == []


def test_to_json_is_json_whatever_was_measured(tmp_path):
    result = {"metrics": {"loss": math.nan, "mae": math.inf}}
    write(tmp_path / "a/001", **{"metrics.json": {"best": BEST, "validation": result}})
    told = json.loads(json.dumps(only(tmp_path).to_json(), allow_nan=False))
    assert told["metrics"] == {"validation": {"loss": None, "mae": None}}
    assert told["began"] == "2026-05-01T10:00:00+00:00"
    assert told["directory"] == str(tmp_path / "a/001")

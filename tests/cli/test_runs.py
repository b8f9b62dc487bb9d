"""`trainkit runs`: the table, the comparison, JSON, errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

CONFIG = "version: 1\ntraining: {epochs: 3, optimizer: Adam}\n"
LONG = "TrainingError: no epoch had a finite val_loss: there is no model. Lower the learning rate."


def trainkit(*arguments, cwd, columns=80):
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('TENSORFLOW' if 'tensorflow' in sys.modules else 'light', file=sys.stderr))\n"
        "from trainkit.cli import main; main()"
    )
    environment = os.environ | {"COLUMNS": str(columns), "TZ": "UTC"}
    command = [sys.executable, "-c", code, "runs", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=60)


def write(directory, *, outcome="finished", config=CONFIG, **result):
    directory.mkdir(parents=True)
    manifest = {"outcome": outcome, "began": "2026-05-01T10:00:00+00:00", "ended": "2026-05-01T11:02:05+00:00"}
    best = {"epoch": 2, "monitor": "val_loss", "value": 0.25}
    (directory / "manifest.json").write_text(json.dumps(manifest))
    (directory / "resolved.yaml").write_text(config)
    if outcome == "finished":
        (directory / "metrics.json").write_text(json.dumps({"best": best, "validation": result, "test": result}))
        (directory / "history.csv").write_text("epoch\n1\n2\n3\n")
        (directory / "model.keras").touch()
    return directory


@pytest.fixture
def runs(tmp_path):
    """A directory with runs of every kind."""
    root = tmp_path / "runs"
    write(root / "mnist_lenet5/001", metrics={"loss": 0.5}, accuracy=0.975)
    (root / "mnist_lenet5/001/deploy").mkdir()
    passed = [{"parity": {"passed": True}}, {"parity": {"passed": False}}]
    (root / "mnist_lenet5/001/deploy/verify.json").write_text(json.dumps({"files": passed}))
    write(root / "mnist_lenet5/002", outcome=LONG)
    write(root / "mnist_lenet5/003", outcome="running")
    write(root / "mnist_lenet5/004", outcome="KeyboardInterrupt")
    (root / "mnist_lenet5/005").mkdir()
    write(root / "a_name_that_is_as_long_as_such_names_get_with_a_suffix/001", metrics={"loss": 0.125, "mae": 123456.0})
    return tmp_path


def test_runs_shows_how_each_run_ended(runs):
    ended = trainkit(cwd=runs)
    assert ended.returncode == 0
    assert ended.stderr == "light\n"
    lines = ended.stdout.splitlines()
    assert "001 2026-05-01 10:00 1:02:05 finished  2/3  0.2500     97.50% 97.50%   1/2" in lines
    states = {line[:3]: line[29:37].strip() for line in lines if line[:3] in ("002", "003", "004")}
    assert states == {"002": "failed", "003": "killed", "004": "stopped"}
    assert f"mnist_lenet5/002: {LONG}" in lines
    assert "mnist_lenet5/005: damaged: it has no manifest.json" in lines
    assert "monitor: val_loss; validation, test: loss, mae or accuracy" in " ".join(ended.stdout.split())


def test_runs_fits_80_columns(runs):
    lines = trainkit(cwd=runs).stdout.splitlines()
    assert max(len(line) for line in lines if not line.startswith("mnist_lenet5/")) <= 80
    assert any("0.1250" in line for line in lines)
    assert any("1.235e+05" in line for line in lines)
    assert "…" not in "".join(lines)


def test_runs_speaks_json(runs):
    ended = trainkit("runs", "--json", cwd=runs)
    told = {run["name"]: run for run in json.loads(ended.stdout)}
    assert [told[f"mnist_lenet5/{number}"]["outcome"] for number in ("001", "002", "003")] == [
        "finished",
        LONG,
        "killed",
    ]
    assert told["mnist_lenet5/001"]["metrics"]["test"] == {"loss": 0.5, "accuracy": 0.975}
    assert told["mnist_lenet5/001"]["best"] == {"epoch": 2, "monitor": "val_loss", "value": 0.25}
    assert (told["mnist_lenet5/001"]["files"], told["mnist_lenet5/001"]["files_passed"]) == (2, 1)


def test_runs_says_that_there_are_none(tmp_path):
    (tmp_path / "runs").mkdir()
    ended = trainkit(cwd=tmp_path)
    assert ended.stdout == "there are no runs in runs. `trainkit fit CONFIG --runs runs` makes one.\n"
    assert ended.returncode == 0
    assert json.loads(trainkit("runs", "--json", cwd=tmp_path).stdout) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "runs does not exist. Name the directory that `trainkit fit` made, or was given by --runs."),
        (["a", "b"], "Received: 'a b'. To compare runs: trainkit runs compare a b"),
        (["compare"], "compare must be given two or more different runs. Received: none."),
        (["compare", "x", "y"], "x does not exist"),
    ],
    ids=["missing", "two", "none", "compare-missing"],
)
def test_runs_ends_with_2_where_the_input_is_wrong(arguments, told, tmp_path):
    ended = trainkit(*arguments, cwd=tmp_path)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_runs_compare_shows_what_differs(runs):
    other = CONFIG.replace("3", "5").replace("Adam", "{SGD: {learning_rate: 0.1, momentum: 0.9, nesterov: true}}")
    write(runs / "runs/mnist_lenet5/006", config=other, metrics={"loss": 0.5}, accuracy=1.0)
    ended = trainkit("compare", "runs/mnist_lenet5/001", "runs/mnist_lenet5", cwd=runs)
    assert ended.stderr == "light\n"
    rows = [line.split() for line in ended.stdout.splitlines()]
    assert rows[:2] == [["A:", "mnist_lenet5/001"], ["B:", "mnist_lenet5/006"]]
    assert ["training.epochs", "3", "5"] in rows
    assert ["test.accuracy", "97.50%", "100.00%"] in rows
    assert ["seconds", "1:02:05", "1:02:05"] in rows
    assert not any("version" in row for row in rows)
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_runs_compare_says_that_configs_are_the_same(runs):
    write(runs / "runs/mnist_lenet5/006", metrics={"loss": 0.5}, accuracy=1.0)
    ended = trainkit("compare", "runs/mnist_lenet5/001", "runs/mnist_lenet5/006", cwd=runs)
    assert "config: no differences" in ended.stdout.splitlines()


def test_runs_compare_speaks_json(runs):
    write(runs / "runs/b/001", config=CONFIG.replace("3", "5"), metrics={"loss": 0.5}, accuracy=1.0)
    ended = trainkit("compare", "runs/mnist_lenet5/001", "runs/b", "--json", cwd=runs)
    told = json.loads(ended.stdout)
    assert told["config"] == {"training.epochs": {"mnist_lenet5/001": 3, "b/001": 5}}
    assert told["metrics"]["test.accuracy"] == {"mnist_lenet5/001": 0.975, "b/001": 1.0}

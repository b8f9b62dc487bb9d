"""The command line: help, versions, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SMALL = Path(__file__).parents[2] / "configs/sample_lenet5.yaml"


def trainkit(*arguments, cwd=None):
    command = [sys.executable, "-c", "from trainkit.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["fit", "--help"], ["deploy", "--help"], ["--version"], ["schema"], ["check", "bad.yaml"]],
    ids=lambda arguments: " ".join(arguments),
)
def test_main_answers_without_importing_tensorflow(arguments, tmp_path):
    (tmp_path / "bad.yaml").write_text("version: 1\nnam: x\n")
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('TENSORFLOW' if 'tensorflow' in sys.modules else 'light', file=sys.stderr))\n"
        "from trainkit.cli import main; main()"
    )
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert ended.stderr.splitlines()[-1] == "light"
    assert ended.returncode == (2 if "bad.yaml" in arguments else 0)


def test_main_lists_its_commands():
    output = trainkit("--help").stdout
    assert all(command in output for command in ("fit", "deploy", "check", "init", "schema"))


def test_main_prints_the_environment():
    lines = trainkit("--version").stdout.splitlines()
    assert lines[0].startswith("python 3.")
    assert any(line.startswith("tensorflow 2.") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check", "missing.yaml"], "missing.yaml: 1 problem\n  the file does not exist"),
        (["check", "config.yaml", "training.epochs=fast"], "command line: training.epochs: must be a whole number"),
        (["check", "config.yaml", "training"], "must be KEY=VALUE. Received: 'training'"),
        (["deploy", "nowhere"], "nowhere does not exist"),
        (["deploy", "."], "is not a run directory: it has no manifest.json"),
        (["init", "clasifier"], "unknown template 'clasifier'. Did you mean 'classifier'?"),
    ],
    ids=["missing", "override", "no-value", "no-run", "not-a-run", "template"],
)
def test_main_ends_with_2_and_one_message_where_the_input_is_wrong(arguments, told, tmp_path):
    (tmp_path / "config.yaml").write_text(SMALL.read_text())
    ended = trainkit(*arguments, cwd=tmp_path)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml"]


def test_files_that_would_be_written_twice_are_refused(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = command("check", SMALL, "deploy.export=[ONNX, ONNX]")
    assert ended.code == 2
    assert "writes sample_lenet5.onnx, as deploy.export[0] does" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_main_shows_the_traceback_that_is_asked_for(tmp_path):
    ended = trainkit("--debug", "check", "missing.yaml", cwd=tmp_path)
    assert "Traceback" in ended.stderr
    assert ended.returncode == 2


def test_init_writes_a_config_that_checks_and_never_overwrites_one(command, tmp_path, monkeypatch):
    assert trainkit("init", cwd=tmp_path).returncode == 0
    written = (tmp_path / "config.yaml").read_text()
    again = trainkit("init", cwd=tmp_path)
    assert again.returncode == 2
    assert "config.yaml exists and is left alone" in again.stderr
    assert (tmp_path / "config.yaml").read_text() == written
    monkeypatch.chdir(tmp_path)
    checked = command("check", "config.yaml")
    assert checked.code == 0, checked.err
    assert "answer" in checked.out
    assert "no problems" in checked.out
    assert checked.err == ""

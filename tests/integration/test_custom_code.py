"""The example of docs/custom-code.md, by the commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs/custom-code.md"


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, command):
    """A directory with the files of the docs, in which `fit` was run."""
    folder = tmp_path_factory.mktemp("own")
    blocks = dict(reversed(re.findall(r"```(yaml|python)\n(.*?)```", DOCS.read_text(), re.S)))  # the first of each
    (folder / "blobs.yaml").write_text(blocks["yaml"])
    (folder / "my_code.py").write_text(blocks["python"])
    ended = command("fit", "blobs.yaml", "--allow-code", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        *[("check", "blobs.yaml"), ("fit", "blobs.yaml")],
        *[("evaluate", "runs/blobs"), ("deploy", "runs/blobs"), ("benchmark", "runs/blobs")],
    ],
    ids=["check", "fit", "evaluate", "deploy", "benchmark"],
)
def test_every_command_asks_before_it_runs_code(fitted, arguments, command):
    ended = command(*arguments, cwd=fitted)
    assert ended.returncode == 2
    assert "my_code.py is Python code, which does not run by itself." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_run_with_code_is_evaluated_and_deployed(fitted, command):
    ended = command("evaluate", "runs/blobs", "--allow-code", cwd=fitted)
    assert ended.returncode == 0, ended.stderr
    assert "hits" in ended.stdout
    ended = command(
        "deploy", "runs/blobs", "deploy.export=[ONNX]", "deploy.benchmark=false", "--allow-code", cwd=fitted
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout


def test_a_run_refuses_code_that_has_changed(fitted, command):
    copy = fitted / "runs/blobs/001/my_code.py"
    before = copy.read_text()
    try:
        copy.write_text(before + "\n")
        ended = command("evaluate", "runs/blobs", "--allow-code", cwd=fitted)
    finally:
        copy.write_text(before)
    assert ended.returncode == 2
    assert "my_code.py has changed: its sha256 must be" in ended.stderr

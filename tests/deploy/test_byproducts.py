"""What is written beside proved files: where it fails, the files stay."""

from __future__ import annotations

import io
import logging
import shutil
from importlib import import_module

import pytest
from rich.console import Console

import trainkit
from trainkit.deploy.byproducts import beside
from trainkit.errors import DiskFullError, OutputError
from trainkit.runs import Run

main = import_module("trainkit.cli.main")
module = import_module("trainkit.deploy.production")


@pytest.mark.parametrize(
    ("name", "told", "others"),
    [
        ("explain_files", "the explanation of int8", {"benchmark.json", "report.html"}),
        ("benchmark_deployment", "the benchmark", {"report.html"}),
        ("write_report", "the page", {"benchmark.json"}),
    ],
    ids=["explanation", "benchmark", "page"],
)
def test_what_fails_beside_proved_files_costs_none_of_them(name, told, others, small_run, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise LookupError("no\nsuch tensor")

    monkeypatch.setattr(module, name, fail)
    run, console = Run(shutil.copytree(small_run.directory, tmp_path / "001")), Console(file=io.StringIO(), width=200)
    deployment = trainkit.deploy(run.directory, ["deploy.export=[ONNX]", "deploy.benchmark=true"], console=console)
    assert deployment.files[0].parity.passed
    lines = console.file.getvalue().splitlines()
    assert f"{told} could not be written: LookupError: no such tensor" in lines
    assert {path.name for path in run.deploy.iterdir()} >= {"small.onnx", "verify.json", *others}
    assert any(line.startswith("all of it as a page") for line in lines) == ("report.html" in others)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, OutputError, DiskFullError])
def test_what_ends_a_deploy_ends_it_here_too(error):
    with pytest.raises(error), beside("the page", Console(file=io.StringIO())):
        raise error("full")


def test_debug_shows_the_traceback(monkeypatch, capsys):
    log = logging.getLogger("trainkit")
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "level", logging.NOTSET)
    main._show_tracebacks()
    with beside("the page", Console(file=io.StringIO())):
        raise LookupError("no such tensor")
    told = capsys.readouterr().err
    assert told.startswith("the page\nTraceback (most recent call last):\n")
    assert told.endswith("LookupError: no such tensor\n")

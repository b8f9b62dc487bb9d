"""The files of a run on an emulated ARM processor.

TRAINKIT_ARM names the folder that `python tools/arm_check.py --cache FOLDER --make` has made.
"""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import trainkit

TOOL = Path(__file__).parents[2] / "tools/arm_check.py"
EXPORTS = ", ".join(f"{{TFLite: {{precision: {kind}}}}}" for kind in ("float32", "float16", "int8"))


@pytest.fixture(scope="module")
def arm():
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("arm_check", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["arm_check"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["arm_check"]


@pytest.fixture
def elsewhere(arm):
    """A tree whose processor answers as this one does, but for what is added to each answer."""

    def make(added):
        class Elsewhere(arm.Tree):
            def run(self, arguments, *, cpu):
                _, _, _, answers = arguments
                with np.load(Path(answers).with_name("here.npz")) as here:
                    np.savez(answers, **{name: here[name] + np.float32(added) for name in here.files})

        return Elsewhere(Path("nowhere"))

    return make


@pytest.mark.parametrize(
    ("kind", "added", "holds"),
    [
        ("float32", 0.0, True),
        ("float32", 9e-6, True),
        ("float32", 2e-5, False),
        ("int8", 0.0, True),
        ("int8", 1 / 256, True),
        ("int8", 2 / 256, False),
    ],
)
def test_answers_may_differ_by_the_limit_of_the_precision(kind, added, holds, arm, elsewhere, files, bench, tmp_path):
    images = {"input": bench.test["input"][:5]}
    (row,) = arm._check_file(elsewhere(added), files[kind], images, ["cortex-a53"], tmp_path)
    assert row.holds == holds
    assert (row.samples, row.changed) == (5, 0)
    assert row.difference == pytest.approx(added, abs=1e-7)
    assert (row.steps is None) == (kind == "float32")
    assert str(row).endswith("ok" if holds else "FAIL")


def test_a_class_that_changes_is_beyond_the_limit_of_real_numbers(arm, files):
    here, there = np.array([[0.5, 0.499999]]), np.array([[0.499999, 0.5]])
    row = arm._compare(files["float32"], "max", here, there, "digit", [])
    assert row.difference < row.limit
    assert (row.changed, row.holds) == (1, False)


def test_what_is_missing_is_told_with_the_command_that_gets_it(arm, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert arm.main(["--cache", str(tmp_path / "cache"), "runs"]) == 2
    assert "apt-get install qemu-user-static debootstrap" in capsys.readouterr().err
    (tmp_path / arm.QEMU).touch(mode=0o755)
    assert arm.main(["--cache", str(tmp_path / "cache"), "runs"]) == 2
    told = f"Found: none. Make it: python tools/arm_check.py --cache {tmp_path / 'cache'} --make"
    assert told in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()


@pytest.mark.slow
def test_files_answer_alike_on_arm(arm, small_run, tmp_path, capsys):
    cache = os.environ.get("TRAINKIT_ARM")
    if not cache or shutil.which(arm.QEMU) is None:
        pytest.skip(
            f"TRAINKIT_ARM must name a folder that `python {TOOL} --cache FOLDER --make` has made, and {arm.QEMU} must "
            "be there: apt-get install qemu-user-static debootstrap"
        )
    folder = shutil.copytree(small_run.directory, tmp_path / "001")
    trainkit.deploy(folder, [f"deploy.export=[{EXPORTS}]"], console=Console(file=io.StringIO()))
    assert arm.main(["--cache", cache, str(folder), "--samples", "50"]) == 0
    told = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in told if line.startswith("small_")]
    assert len(rows) == 3 * len(arm.CPUS)
    assert {row[-1] for row in rows} == {"ok"}
    assert {row[3] for row in rows if row[0] == "small_int8.tflite"} == {"0"}
    assert told[-1] == "9 comparisons, none beyond the limit"

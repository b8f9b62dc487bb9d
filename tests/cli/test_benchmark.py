"""`trainkit benchmark`: the table, the files, an earlier result, errors."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from trainkit.deploy.benchmark import machine

QUICK = ("--threads", "1", "--seconds", "0.02", "--rounds", "2", "--batch", "4")


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A file that multiplies a matrix."""
    weights = numpy_helper.from_array(np.ones((6, 3), np.float32), "net/dense/kernel")
    node = helper.make_node("MatMul", ["x", "net/dense/kernel"], ["y"], name="net/dense/MatMul")
    sides = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", n]) for name, n in {"x": 6, "y": 3}.items()
    }
    graph = helper.make_graph([node], "net", [sides["x"]], [sides["y"]], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    filepath = tmp_path_factory.mktemp("small") / "small.onnx"
    onnx.save(model, str(filepath))
    return filepath


@pytest.fixture(scope="session")
def written(small, tmp_path_factory):
    """What a first benchmark writes; see `test_benchmark_shows_and_writes`."""
    return tmp_path_factory.mktemp("written")


@pytest.fixture
def old(command, small, written):
    """Writes an earlier result, all of whose times are multiplied."""
    if not (written / "new.json").exists():
        assert command("benchmark", small, *QUICK, "--output", written / "new.json").code == 0

    def make(factor, **machine):
        values = json.loads((written / "new.json").read_text())
        values["machine"] |= machine
        for timing in values["files"][0]["timings"]:
            timing["p50_us"] *= factor
        (written / "old.json").write_text(json.dumps(values))
        return written / "old.json"

    return make


def test_benchmark_shows_and_writes(command, small, written):
    ended = command("benchmark", small, *QUICK, "--output", written / "new.json", "--plot", written / "new.svg")
    assert (ended.code, ended.err) == (0, "")
    (row,) = [line for line in ended.out.splitlines() if line.startswith("small.onnx") and "MB" in line]
    assert row.split()[1:3] == [f"{small.stat().st_size:,}", "1"]
    assert any(line.startswith("dense ") for line in ended.out.splitlines())
    values = json.loads((written / "new.json").read_text())
    assert [file["file"] for file in values["files"]] == ["small.onnx"]
    assert values["files"][0]["facts"]["weights"] == {"float32": 72}
    assert "small.onnx" in (written / "new.svg").read_text()


def test_against_an_earlier_result_that_was_slower_is_0(command, small, old):
    ended = command("benchmark", small, *QUICK, "--no-operations", "--against", old(1e4))
    assert ended.code == 0
    assert [line.split()[-1] for line in ended.out.splitlines() if "-100.0%" in line] == ["ok", "ok"]


def test_against_an_earlier_result_that_was_faster_is_3(command, small, old):
    ended = command("benchmark", small, *QUICK, "--no-operations", "--against", old(1e-4))
    assert ended.code == 3
    assert "2 of 2 timings are slower than in" in ended.err
    assert "small.onnx, batch 4, 1 thread: " in ended.err
    assert "limit" in ended.err
    assert ended.out.count("SLOWER") == 2


def test_against_another_machine_is_2_before_anything_is_timed(command, small, old):
    ended = command("benchmark", small, *QUICK, "--against", old(1.0, cores=machine.usable_cores() + 1))
    assert (ended.code, ended.out) == (2, "")
    assert "must be of this machine" in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.onnx"], "which does not exist"),
        (["broken.onnx", "--threads", "1,two"], "`threads` must be numbers with commas between, as 1,2"),
        (["broken.onnx", "--batch", "0"], "`batch` must be at least 1"),
        (["broken.onnx", "--output", "figures.csv"], "`output` must end with .json"),
        (["broken.onnx", "--plot", "bars.pdf"], "`plot` must end with .svg or .png"),
        (["broken.onnx", "--against", "nowhere.json"], "`against` must be a .json file"),
    ],
    ids=["missing", "threads", "batch", "output", "plot", "against"],
)
def test_benchmark_ends_with_2_where_the_input_is_wrong(arguments, told, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.onnx").write_bytes(b"no model" * 20)
    ended = command("benchmark", *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["broken.onnx"]


def test_a_file_that_cannot_be_timed_ends_with_1_and_the_other_is_written(command, small, tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"no model" * 20)
    ended = command("benchmark", tmp_path / "broken.onnx", small, *QUICK, "--output", tmp_path / "new.json")
    assert ended.code == 1
    assert (
        "1 of 2 files could not be timed:\n  broken.onnx cannot be timed: it cannot be opened by ONNX Runtime"
        in ended.err
    )
    files = json.loads((tmp_path / "new.json").read_text())["files"]
    assert [bool(file["timings"]) for file in files] == [False, True]

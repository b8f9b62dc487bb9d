"""Real files, timed for a moment: what is told of them. How long anything takes is not tested."""

from __future__ import annotations

import io
import json
import shutil

import pytest
from rich.console import Console

import trainkit
from trainkit.deploy.benchmark import Plan
from trainkit.deploy.benchmark.report import print_benchmark
from trainkit.errors import InputError, PredictionError
from trainkit.inference.predictor import PREDICTORS
from trainkit.inference.timing.runtime import RUNTIMES
from trainkit.runs import Run, sha256_of


@pytest.fixture(scope="module")
def found(files, tmp_path_factory):
    """The exported files, a damaged one, and what was found of them."""
    folder = tmp_path_factory.mktemp("damaged")
    broken = folder / "broken.tflite"
    broken.write_bytes(files["int8"].read_bytes()[:5_000])
    return trainkit.benchmark(broken, *files.values(), batch=4, threads=[1], seconds=0.04, rounds=4)


def test_each_file_is_timed_alone_and_in_batches(found, files):
    for file, filepath in zip(found.files[1:], files.values(), strict=True):
        assert (file.file, file.error, file.notes) == (filepath.name, "", ())
        assert [(timing.threads, timing.batch) for timing in file.timings] == [(1, 1), (1, 4)]
        assert all(3 <= len(timing.round_medians_us) <= 4 for timing in file.timings)  # on a busy machine fewer
        assert (file.bytes, file.sha256) == (filepath.stat().st_size, sha256_of(filepath))
        assert file.starts[0].peak_bytes.keys() == {"1", "4"}
    assert [file.runtime for file in found.files[1:]] == ["LiteRT", "LiteRT", "ONNX Runtime"]


def test_a_damaged_file_is_told_and_stops_no_other(found):
    broken = found.files[0]
    assert broken.error.startswith("broken.tflite cannot be timed: ")
    assert broken.timings == ()
    with pytest.raises(PredictionError, match=r"1 of 4 files could not be timed:\n  broken\.tflite cannot be timed: "):
        found.check_timed()


@pytest.mark.parametrize("index", [1, 2, 3], ids=["float32", "int8", "onnx"])
def test_operations_are_those_of_the_layers(index, found, model):
    operations = found.files[index].operations
    assert {model.layers[2].name, "digit"} <= operations.layers.keys()
    kinds = {one["operation"] for one in operations.operations}
    assert kinds & {"CONV_2D", "Conv"}
    assert sum(one["us"] for one in operations.operations) == pytest.approx(sum(operations.layers.values()))
    assert operations.runs >= 4


def test_what_xnnpack_does_not_take_is_told(found):
    assert found.files[1].operations.undelegated == ()
    assert found.files[2].operations.undelegated == ("SOFTMAX",)  # of int8


def test_weights_are_counted_in_their_type(found):
    float32, int8, onnx = (file.estimates for file in found.files[1:])
    assert (float32.arithmetic, int8.arithmetic, onnx.arithmetic) == ("float32", "int8", "float32")
    weights = 4 * (3 * 3 * 8 + 8 + 288 * 10 + 10)
    assert weights <= float32.weight_bytes < weights + 100
    assert int8.weight_bytes < float32.weight_bytes / 3


def test_inputs_are_told_where_no_run_has_samples(found):
    assert {file.inputs.split(":")[0] for file in found.files[1:]} == {"random values, seed 1"}


def test_json_is_whole(found):
    written = json.loads(json.dumps(found.to_json()))
    assert written["version"] == 1
    how = {"batch": 4, "threads": [1], "seconds": 0.04, "rounds": 4, "operations": True, "timeout": 300.0}
    assert written["settings"] == how
    assert written["machine"].keys() == {"cpu", "cores", "system"}
    assert len(written["reference"]["round_medians_us"]) == 4
    assert len(written["files"]) == 4


def test_report_has_a_row_a_file_and_a_row_a_layer(model, found):
    console = Console(file=io.StringIO(), width=200)
    print_benchmark(console, found)
    lines = console.file.getvalue().splitlines()
    assert any(line.startswith("broken.tflite") and line.rstrip().endswith("FAIL") for line in lines)
    assert any(line.startswith("digits_int8.tflite") and "MB" in line for line in lines)
    assert any(line.startswith(f"{model.layers[2].name} ") and "µs" in line for line in lines)
    assert "digits_int8.tflite: XNNPACK does not take SOFTMAX, which LiteRT's own kernels run" in lines


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"batch": 0}, "`batch` must be at least 1. Received: batch=0"),
        ({"rounds": 0}, "`rounds` must be at least 1"),
        ({"seconds": 0.0}, "`seconds` must be more than 0"),
        ({"threads": (0,)}, "`threads` must be numbers of at least 1"),
    ],
    ids=["batch", "rounds", "seconds", "threads"],
)
def test_numbers_out_of_range_are_refused(arguments, told):
    with pytest.raises(InputError, match=told):
        Plan(**arguments)


def test_every_format_that_can_be_predicted_with_can_be_timed():
    suffixes = {key for key in PREDICTORS if key.startswith(".")}
    assert suffixes == set(RUNTIMES) - {""}


@pytest.fixture(scope="module")
def deployed(small_run, tmp_path_factory):
    """A copy of the run whose deploy timed its file, and what it said."""
    run = Run(shutil.copytree(small_run.directory, tmp_path_factory.mktemp("timed") / "001"))
    console = Console(file=io.StringIO(), width=200)
    trainkit.deploy(run.directory, ["deploy.benchmark=true", "deploy.export=[TFLite]"], console=console)
    return run, console.file.getvalue()


def test_deploy_times_its_files(deployed):
    run, told = deployed
    written = json.loads((run.deploy / "benchmark.json").read_text())
    (file,) = written["files"]
    assert (file["file"], file["error"]) == ("small_float32.tflite", "")
    assert file["inputs"] == "32 of the samples that the files were proved on"
    assert [timing["batch"] for timing in file["timings"]] == [1, 32]
    macs = 12 * 12 * 6 * 25 + 5 * 5 * 12 * 9 * 6 + 300 * 10
    assert file["estimates"]["macs"] == macs
    assert "timed here, on" in told


def test_a_run_is_timed_with_its_own_samples(deployed):
    run, _ = deployed
    result = trainkit.benchmark(run.deploy, batch=2, threads=[1], seconds=0.02, rounds=1, operations=False)
    (file,) = result.files
    assert (file.inputs, file.operations) == ("2 test samples of the run", None)
    assert result.files[0].estimates.energy is None

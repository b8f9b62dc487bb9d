"""The child that is driven over pipes: what it answers, and how it is told that it cannot."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from trainkit.errors import PredictionError
from trainkit.inference.timing import TimedProcess

MODEL = Path("model.tflite")
ECHO = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"heard": json.loads(line)}), flush=True)
"""


def process(script):
    """A program in Python in the place of the child."""
    return TimedProcess(MODEL, command=(sys.executable, "-c", script))


def test_requests_and_answers_keep_their_order():
    with process(ECHO) as child:
        assert child.ask("start")["heard"] == {"do": "start", "file": str(MODEL.absolute())}
        assert [child.ask("measure", batch=batch)["heard"]["batch"] for batch in (1, 2, 3)] == [1, 2, 3]


def test_what_is_asked_before_the_start_is_answered_waits_for_it():
    with process(ECHO) as child:
        assert child.ask("open")["heard"]["do"] == "open"


def test_a_child_that_crashes_is_told():
    with process("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)") as child:
        with pytest.raises(PredictionError, match=r"model\.tflite cannot be timed: killed by SIGSEGV\."):
            child.ask("open")
        assert not child.is_alive


def test_the_last_line_of_a_child_that_fails_is_told():
    told = r"its process ended with exit code 1\. the end of the world"
    script = "import sys; sys.exit('the end of the world')"
    with process(script) as child, pytest.raises(PredictionError, match=told):
        child.ask("start")


def test_a_child_that_hangs_is_ended():
    began = time.monotonic()
    with process("import time; time.sleep(600)") as child:
        with pytest.raises(PredictionError, match=r"model\.tflite cannot be timed: no answer within 0\.2 seconds\."):
            child.ask("start", timeout=0.2)
        assert not child.is_alive
    assert time.monotonic() - began < 60


def test_a_process_is_ended_when_it_is_closed():
    with process("import time; time.sleep(600)") as child:
        assert child.is_alive
    assert not child.is_alive


@pytest.fixture(scope="module")
def files(models):
    return models.folder


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_real_file_is_opened_warmed_up_and_timed(suffix, files, one):
    with TimedProcess(files / f"one{suffix}") as child:
        inputs = child.ask("open", threads=1)["inputs"]
        assert inputs["input"]["shape"] == [None, 4, 3]
        child.give(one, raw=True)
        assert child.ask("warm", batch=1, seconds=0.01)["peak_bytes"] >= 0
        (first, *_), (second, *_) = (child.ask("measure", batch=batch, seconds=0.001)["ns"] for batch in (1, 7))
        assert min(first, second) > 0
        assert child.ask("facts")["weights"]["float32"] == 4 * 12 * 5  # the bias is zero, which converters leave out


def test_an_error_is_answered_and_the_child_goes_on(files, one):
    with TimedProcess(files / "one.onnx") as child:
        with pytest.raises(PredictionError, match=r"one\.onnx cannot be timed: .*no_such_request"):
            child.ask("no_such_request")
        assert child.is_alive
        assert child.ask("open", threads=1)


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_child_for_small_files_leaves_tensorflow_alone(suffix):
    script = f"""
import sys
from pathlib import Path
import trainkit.inference.timing.child
from trainkit.inference.timing.runtime import runtime_of
runtime_of(Path("model{suffix}"))
print(sorted({{"tensorflow", "tf_keras"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_what_a_file_prints_is_no_answer(tmp_path):
    """Native code writes to standard output past Python."""
    script = """
import os
import trainkit.inference.timing.child as child

class Loud:
    RUNTIME = "loud"

child.runtime_of = lambda filepath: os.write(1, b"hello\\n") and Loud
child.main()
"""
    with process(script) as loud:
        assert loud.ask("start") == {"runtime": "loud"}


def test_samples_are_counted_as_they_are_given(files):
    with TimedProcess(files / "one.onnx") as child:
        child.ask("open", threads=1)
        child.give({"input": np.zeros((3, 4, 3), np.float32)}, raw=True)
        with pytest.raises(PredictionError, match="cannot be timed"):
            child.ask("warm", batch=1, seconds=0.001, unknown=1)
        assert child.ask("warm", batch=3, seconds=0.001)["first_us"] > 0

"""What a training says goes to its log, whoever reads it."""

from __future__ import annotations

import subprocess
import sys

SPEAKING = """
from pathlib import Path
from trainkit.training.log import SteadyConsole, logging_to, say
console = SteadyConsole()
with logging_to(Path("train.log")):
    for number in range(20_000):
        say(console, f"line {number}")
"""


def test_a_pipe_that_closes_ends_nothing(tmp_path):
    command = [sys.executable, "-c", SPEAKING]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"line 0\n"
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, b"")
    assert len((tmp_path / "train.log").read_text().splitlines()) == 20_000

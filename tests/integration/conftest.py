"""The commands, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def command():
    """Run a command as a person does: what it printed, and its exit code."""

    def run(*arguments, cwd, **environment):
        entry = [sys.executable, "-c", "from trainkit.cli import main; main()", *map(str, arguments)]
        environment = os.environ | {"COLUMNS": "200"} | environment
        return subprocess.run(entry, capture_output=True, text=True, cwd=cwd, env=environment, timeout=300)

    return run

"""A training by the command line in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from trainkit.runs import Run

from .processes import Ended, Process, Server


class Training:
    """`trainkit fit` of a config, and `trainkit fit --resume` of what it left.

    Args:
        server: Begins the commands.
        folder: Where they run.
        config: YAML.
        overrides: For the first command and for those that resume.
    """

    def __init__(self, server: Server, folder: Path, config: str, overrides: Sequence[str] = ()) -> None:
        self.folder, self.overrides, self.seconds = folder, overrides, 0.0
        self._server = server
        (folder / "config.yaml").write_text(config)

    @property
    def run(self) -> Run:
        """The run directory."""
        return Run(self.folder / "runs/small/001")

    def begin(self, *arguments: str, fault: dict[str, Any] | None = None) -> Process:
        """Begin the training; where a process left something to go on with, go on with that."""
        return self._server.begin("fit", *self._what, *self.overrides, *arguments, folder=self.folder, fault=fault)

    def fit(self, *arguments: str, fault: dict[str, Any] | None = None) -> Ended:
        """Train to the end, from wherever it is."""
        return self.begin(*arguments, fault=fault).wait()

    def fit_in_shell(self, *arguments: str, seconds: float = 600) -> int:
        """As `fit`, by a command that imports everything itself, and that is killed after so many seconds."""
        command = [sys.executable, "-c", "from trainkit.cli import main; main()", "fit", *self._what, *self.overrides]
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
        try:
            return subprocess.run(
                [*command, *arguments], cwd=self.folder, env=environment, timeout=seconds, capture_output=True
            ).returncode
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL

    def copy(self, folder: Path) -> Training:
        """The same in another folder, from where it is now."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Training(self._server, folder, (folder / "config.yaml").read_text(), self.overrides)

    def wait_for(self, is_there: Callable[[], bool], process: Process) -> None:
        """Wait until something is there, or the process has ended."""
        while process.is_running and not is_there():
            time.sleep(0.002)

    @property
    def _what(self) -> list[str]:
        if self.run.manifest.exists():
            return ["--resume", "runs/small/001"]
        self.run.discard()  # killed before there was anything to go on with
        return ["config.yaml"]

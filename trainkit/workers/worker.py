"""One worker process, seen from its launcher."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PROGRAM = "import sys; sys.argv[0] = 'trainkit'; from trainkit.cli import main; main()"
MOST_KEPT = 1_000_000
"""Bytes of output that are kept until it is known where the run is."""


class Worker:
    """One worker process; the chief, the first, shares the terminal, what the others say is kept.

    Args:
        index: From 0.
        arguments: Of the command line.
        environment: What it has in its environment besides.
    """

    def __init__(self, index: int, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self.index = index
        self.log: Path | None = None
        self._kept = b""
        is_chief = index == 0
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", PROGRAM, *arguments],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=None if is_chief else subprocess.PIPE,
            stderr=None if is_chief else subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C comes to the launcher alone, which passes it on
        )
        if self.process.stdout:
            os.set_blocking(self.process.stdout.fileno(), False)

    @property
    def code(self) -> int | None:
        """The exit code, less than 0 for a signal; None while it runs."""
        return self.process.poll()

    def keep_output(self) -> None:
        """Take what it has said since, into its log as soon as there is one."""
        pipe = self.process.stdout
        while pipe and (said := pipe.read(65_536)):
            self._kept = (self._kept + said)[-MOST_KEPT:]
        if self.log and self._kept:
            with suppress(OSError), self.log.open("ab") as file:  # a disk that is full ends the chief, not this
                file.write(self._kept)
            self._kept = b""

    def send(self, number: int) -> None:
        """Send a signal to it and all that it has begun."""
        if self.code is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def end(self) -> None:
        """Kill it, if it runs."""
        self.send(signal.SIGKILL)
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def told_end(self) -> str:
        """How it ended, in words."""
        code = self.code
        if code is not None and code < 0:
            return f"worker {self.index} was killed by {signal.Signals(-code).name}"
        return f"worker {self.index} ended with exit code {code}"

    def told_output(self) -> str:
        """Where its output is, or the end of it."""
        if self.index == 0:
            return ""
        if self.log:
            return f"; its output: {self.log}"
        return "\n".join(["", *self._kept.decode(errors="replace").splitlines()[-20:]])

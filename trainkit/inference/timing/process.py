"""The parent's side of a child process that times a model file."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.errors import DiskFullError, PredictionError
from trainkit.inference.isolated import describe_end
from trainkit.inference.predictor import as_text

COMMAND = (sys.executable, "-P", "-m", "trainkit.inference.timing.child")
"""-P: a file of the working directory must not stand in for a module."""
REFUSAL = " cannot be timed: "
"""Between the name of a file and why."""
TIMEOUT = 300.0
"""Seconds that opening a file, or one run of it, may take."""


class TimedProcess:
    """A model file in a process of its own, which stays alive until it is closed.

    It starts at once, and imports the runtime meanwhile; a first `ask` waits for that.

    Args:
        filepath: The file.
        command: What is started; tests start something else.

    Example:
        ```python
        with TimedProcess(Path("digits_int8.tflite")) as process:
            process.ask("open", threads=1)
        ```
    """

    def __init__(self, filepath: Path, *, command: tuple[str, ...] = COMMAND) -> None:
        self._filepath = filepath
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  `close` closes it
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, bufsize=0
        )
        self._answers = b""
        self._pending = 0
        self._send({"do": "start", "file": str(filepath.absolute())})

    def ask(self, do: str, *, timeout: float = TIMEOUT, **arguments: Any) -> dict[str, Any]:
        """Send a request, and wait for the answer; `start` waits for what was begun at once.

        Raises:
            PredictionError: If the child tells an error, dies, or is silent too long: then it is ended.
        """
        if do != "start":
            while self._pending:
                self._receive(timeout)
            self._send({"do": do, **arguments})
        return self._receive(timeout)

    def give(self, inputs: Mapping[str, np.ndarray], *, raw: bool, timeout: float = TIMEOUT) -> None:
        """Hand samples over.

        Raises:
            DiskFullError: If they cannot be written for it.
            PredictionError: As `ask` does.
        """
        with tempfile.TemporaryDirectory(prefix="trainkit-") as folder:
            filepath = Path(folder) / "inputs.npz"
            try:
                np.savez(filepath, *(as_text(x) if x.dtype.kind == "O" else x for x in inputs.values()))
            except OSError as error:
                raise DiskFullError(f"{folder} cannot be written: {error.strerror or error}.") from error
            self.ask("give", arrays=str(filepath), names=list(inputs), raw=raw, timeout=timeout)

    @property
    def is_alive(self) -> bool:
        """Whether it still answers."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the child."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            with suppress(OSError):
                if stream is not None:
                    stream.close()

    def __enter__(self) -> TimedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # `_receive` tells how it has ended
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._pending += 1

    def _receive(self, timeout: float) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._line(time.monotonic() + timeout, timeout))
        self._pending -= 1
        if "error" in answer:
            raise PredictionError(f"{self._filepath.name}{REFUSAL}{answer['error']}")
        return answer

    def _line(self, end: float, timeout: float) -> bytes:
        assert self._process.stdout is not None
        while b"\n" not in self._answers:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(self._process.stdout.fileno(), 1 << 20) if ready else b""
            if not piece:
                raise self._ended(None if ready else timeout)
            self._answers += piece
        line, _, self._answers = self._answers.partition(b"\n")
        return line

    def _ended(self, timeout: float | None) -> PredictionError:
        """Why there is no answer: the child was silent for `timeout` seconds, or has ended by itself."""
        if timeout is not None:
            self._process.kill()
        exit_code = self._process.wait()
        self._stderr.seek(0)
        told = describe_end(exit_code, self._stderr.read(), 0)
        if timeout is not None:
            told = f"no answer within {timeout:g} seconds."
        return PredictionError(f"{self._filepath.name}{REFUSAL}{told}")

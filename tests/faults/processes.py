"""Commands in processes of their own, which can be killed."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER = Path(__file__).parent / "server.py"
MOST_SECONDS = 180


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Args:
        code: Its exit code; that of a signal is negative.
        out: What it printed.
        err: What it printed to standard error.
        seconds: From its beginning.
    """

    code: int
    out: str
    err: str
    seconds: float


class Process:
    """A command that runs."""

    def __init__(self, pid: int, texts: tuple[Path, Path], codes: queue.Queue[int]) -> None:
        self.pid, self._texts = pid, texts
        self._codes, self._began = codes, time.monotonic()

    def send(self, number: int) -> None:
        """Send a signal; to a process that has ended, nothing."""
        if self._codes.empty():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.send(signal.SIGKILL)

    @property
    def is_running(self) -> bool:
        return self._codes.empty()

    def wait(self) -> Ended:
        """Wait for its end."""
        try:
            code = self._codes.get(timeout=MOST_SECONDS)
        except queue.Empty:
            os.kill(self.pid, signal.SIGKILL)
            raise
        self._codes.put(code)
        texts = (filepath.read_text(errors="replace") for filepath in self._texts)
        return Ended(code, *texts, time.monotonic() - self._began)


class Server:
    """Begins commands in processes that share one import of TensorFlow.

    Args:
        folder: What they say is kept there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "COLUMNS": "200", "TF_CPP_MIN_LOG_LEVEL": "3"}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen([sys.executable, str(SERVER)], env=environment, **pipes)
        self._codes: dict[int, queue.Queue[int]] = {}
        self._begun: queue.Queue[int] = queue.Queue()
        assert b"ready" in self._process.stdout.readline()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def begin(self, *arguments: object, folder: Path, fault: dict[str, Any] | None = None) -> Process:
        """Begin a command in a folder."""
        number = len(self._codes)
        texts = self._folder / f"{number}.out", self._folder / f"{number}.err"
        job = {
            "texts": list(map(str, texts)),
            "arguments": list(map(str, arguments)),
            "folder": str(folder),
            "environment": {"FAULT": json.dumps(fault or {})},
        }
        self._process.stdin.write((json.dumps(job) + "\n").encode())
        self._process.stdin.flush()
        pid = self._begun.get(timeout=MOST_SECONDS)
        return Process(pid, texts, self._codes[pid])

    def run(self, *arguments: object, folder: Path, fault: dict[str, Any] | None = None) -> Ended:
        """Run a command to its end."""
        return self.begin(*arguments, folder=folder, fault=fault).wait()

    def close(self) -> None:
        """End the server."""
        self._process.stdin.close()
        self._process.wait()
        self._listener.join()
        self._process.stdout.close()

    def _listen(self) -> None:
        for line in self._process.stdout:
            facts = json.loads(line)
            if "pid" in facts:
                self._codes[facts["pid"]] = queue.Queue()
                self._begun.put(facts["pid"])
            else:
                self._codes[facts["ended"]].put(facts["code"])

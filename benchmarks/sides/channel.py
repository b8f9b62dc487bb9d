"""How a side of a comparison, a process of its own, is asked for epochs and answers; no more than Python is needed."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any


class Channel:
    """Requests are lines of standard input, answers lines of JSON of standard output, where nobody else writes."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def answer(self, **facts: Any) -> None:
        """Answer; the most memory that this process has had is added."""
        print(json.dumps(facts | {"peak": peak_memory()}), file=self._answers, flush=True)

    def wait(self) -> None:
        """Wait for a request; where none will come any more, this process ends."""
        if not sys.stdin.readline():
            os._exit(0)


def peak_memory() -> int:
    """Bytes that were resident in this process at most."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return 1024 * int(found[1]) if found else 0

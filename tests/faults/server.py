"""Runs commands in processes of their own that need not import TensorFlow again: this one imports it, and forks.

Reads a job a line, as JSON, and answers with lines: the process id when it was begun, and later how it ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

MODULES = ("trainkit.cli", "trainkit.deploy", "trainkit.training", "trainkit.inference")
TICK = 0.01


def main() -> None:
    """Serve until standard input ends."""
    sys.path.insert(0, str(Path(__file__).parent))
    for module in (*MODULES, "hooks"):
        import_module(module)
    answer(ready=os.getpid())
    running: set[int] = set()
    while True:
        if select.select([0], [], [], TICK if running else None)[0]:
            line = sys.stdin.buffer.raw.readline()
            if not line:
                return
            running.add(begin(json.loads(line)))
        for child in list(running):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                running.remove(child)
                answer(ended=child, code=os.waitstatus_to_exitcode(status))


def answer(**facts: int) -> None:
    """One line, whole."""
    os.write(1, (json.dumps(facts) + "\n").encode())


def begin(job: dict[str, Any]) -> int:
    """Fork a process that runs a command."""
    child = os.fork()
    if child:
        answer(pid=child)
        return child
    code: object = 1
    try:
        code = run(job)
    except SystemExit as error:
        code = error.code
    except BaseException:
        traceback.print_exc()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def run(job: dict[str, Any]) -> object:
    """The command, as if a shell had begun it."""
    os.setsid()
    os.chdir(job["folder"])
    os.environ.update(job["environment"])
    for number, name in zip((1, 2), job["texts"], strict=True):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["trainkit", *job["arguments"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    import_module("hooks").install()
    return import_module("trainkit.cli").main()


if __name__ == "__main__":
    main()

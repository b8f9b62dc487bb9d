"""What goes wrong in a process of a test, as its environment asks: `FAULT` is JSON, nothing happens without it."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
from collections.abc import Callable
from typing import Any

CALLS = ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir", "truncate", "ftruncate")


def install() -> None:
    """Do what `FAULT` says; `Calls` and `file_size`, which limits the size of every file, know how."""
    fault = json.loads(os.environ.get("FAULT", "{}"))
    if "file_size" in fault:
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault["file_size"], resource.RLIM_INFINITY))
    calls = Calls(fault)
    for name in CALLS:
        setattr(os, name, calls.watched(name, getattr(os, name)))


class Calls:
    """Counts the calls that change what is on the disk, from 0; at one of them something happens.

    Args:
        fault: `log` is a file that gets a line a call; before the call `kill` the process kills itself, before the call
            `interrupt` it sends itself SIGINT; all calls of `operation` from `first` on raise `error`, an errno's name.
    """

    def __init__(self, fault: dict[str, Any]) -> None:
        self.fault = fault
        self.count = 0

    def watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, counted."""

        def counted(*arguments: Any, **options: Any) -> Any:
            number, self.count = self.count, self.count + 1
            self._meet(number, name, arguments[0])
            return call(*arguments, **options)

        return counted

    def _meet(self, number: int, name: str, target: object) -> None:
        fault = self.fault
        if "log" in fault:
            with open(fault["log"], "a") as file:
                file.write(f"{number} {name} {_told(target)}\n")
        if fault.get("kill") == number:
            os.kill(os.getpid(), signal.SIGKILL)
        if fault.get("interrupt") == number:
            signal.raise_signal(signal.SIGINT)
        if fault.get("operation") == name and number >= fault["first"]:
            code = getattr(errno, fault["error"])
            raise OSError(code, os.strerror(code))


def _told(target: Any) -> str:
    """A path; that of a descriptor is looked up."""
    return os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else os.fspath(target)

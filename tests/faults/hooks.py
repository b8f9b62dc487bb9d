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
    """Do what `FAULT` says; `Calls` knows how, `file_size` limits the size of every file, `nan` spoils a sample."""
    fault = json.loads(os.environ.get("FAULT", "{}"))
    if "file_size" in fault:
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault["file_size"], resource.RLIM_INFINITY))
    if "nan" in fault:
        spoil(fault["nan"])
    calls = Calls(fault)
    for name in CALLS:
        setattr(os, name, calls.watched(name, getattr(os, name)))


def spoil(row: int) -> None:
    """Put NaN in the place of a sample, wherever it is read."""
    import tensorflow as tf

    from trainkit.data import Split

    def gather(split: Any, rows: Any) -> Any:
        inputs, targets, weights = whole(split, rows)
        bad = tf.reshape(rows == row, [-1, 1, 1, 1])
        spoiled = {name: tf.where(bad, float("nan"), tf.cast(one, tf.float32)) for name, one in inputs.items()}
        return spoiled, targets, weights

    whole = Split.gather
    Split.gather = gather  # type: ignore[method-assign]


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

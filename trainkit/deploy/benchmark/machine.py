"""The machine that something is timed on, and a fixed piece of work that tells how fast it is at this moment."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainkit.deploy.packages import RUNNERS, installed
from trainkit.training.record import PACKAGES

_WORK = bytes(64_000)


def describe_machine() -> dict[str, Any]:
    """What times are compared on: `cpu`, `cores` that this process may use, `system`."""
    return {"cpu": _cpu(), "cores": usable_cores(), "system": f"{platform.system()} {platform.machine()}"}


def describe_versions() -> dict[str, str]:
    """Of Python, TrainKit and what runs files."""
    return {"python": platform.python_version()} | installed((*PACKAGES, *RUNNERS))


def usable_cores() -> int:
    """How many cores this process may use."""
    with suppress(AttributeError):  # of Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float | None:
    """Processes that wanted a core in the last minute, on average; None where nobody counts."""
    with suppress(OSError, AttributeError):
        return os.getloadavg()[0]
    return None


def time_reference(seconds: float) -> list[int]:
    """Time a fixed piece of work, sha256 of 64 KB, in nanoseconds, again and again: what slows it slows files, too."""
    times: list[int] = []
    end = time.perf_counter_ns() + int(seconds * 1e9)
    while not times or time.perf_counter_ns() < end:
        began = time.perf_counter_ns()
        hashlib.sha256(_WORK).digest()
        times.append(time.perf_counter_ns() - began)
    return times


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):
                return value.strip()
    return platform.processor() or platform.machine()

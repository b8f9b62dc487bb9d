"""The memory of this process, as the system counts it."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def resident_bytes() -> int | None:
    """What of this process is in memory now (VmRSS), or None where the system does not tell."""
    return _status("VmRSS")


def peak_bytes() -> int:
    """The most that it was since `reset_peak` (VmHWM); since its start where that cannot be reset."""
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def reset_peak() -> bool:
    """Count the peak from now on; whether the system lets us."""
    with suppress(OSError):
        _CLEAR_REFS.write_text(_RESET_PEAK)
        return True
    return False


def _status(key: str) -> int | None:
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == key:
                return int(value.split()[0]) * 1024
    return None

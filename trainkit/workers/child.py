"""A worker's side: it ends with what launched it, and tells it where the run is."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from trainkit.runs import write_text

VARIABLE = "TRAINKIT_LAUNCHER"
RUN_FILE = "run"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Launcher:
    """What has launched this process, as the environment says.

    Args:
        process_id: Of it.
        workers: How many it has launched.
        directory: Where they tell it something.
    """

    process_id: int
    workers: int
    directory: Path

    def to_text(self) -> str:
        """As the environment has it."""
        return f"{self.process_id}:{self.workers}:{self.directory}"

    @classmethod
    def find(cls) -> Launcher | None:
        """What has launched this process; None where nothing has."""
        process_id, _, rest = os.environ.get(VARIABLE, "").partition(":")
        workers, _, directory = rest.partition(":")
        return cls(int(process_id), int(workers), Path(directory)) if directory else None


def die_with_launcher() -> None:
    """Let the kernel kill this process when its launcher dies, also by SIGKILL; a worker alone would wait for ever."""
    launcher = Launcher.find()
    if launcher is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != launcher.process_id:  # it died before
        sys.exit(1)


def tell_run(directory: Path) -> None:
    """Tell the launcher, if there is one, where the run is."""
    if launcher := Launcher.find():
        write_text(launcher.directory / RUN_FILE, str(directory))


def scratch_directory() -> Path | None:
    """Where a worker may write what nobody needs after it; None for the system's place."""
    launcher = Launcher.find()
    return launcher.directory if launcher else None


def resume_option() -> str:
    """What the command that goes on with the run has besides: ` --workers 2`, or nothing."""
    launcher = Launcher.find()
    return f" --workers {launcher.workers}" if launcher else ""


def leave(code: int) -> None:
    """End a worker that has failed at once: TensorFlow would wait for the others, which wait for this one."""
    if Launcher.find():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def is_launched() -> bool:
    """Whether a launcher watches this process, which tells how its training goes on when a worker is gone."""
    return Launcher.find() is not None

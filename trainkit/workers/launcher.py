"""Start workers, keep an eye on them, and end all of them when one is gone."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from trainkit.workers.child import RUN_FILE, VARIABLE, Launcher
from trainkit.workers.environment import environment_of, free_ports, gpus_for
from trainkit.workers.worker import Worker

LOOK_SECONDS = 0.1
GRACE_SECONDS = 10
"""How long the others have to end by themselves when one is gone, and then again after SIGTERM."""

STOP_SECONDS = 120
"""How long they have where a signal has asked all to stop: the chief writes a checkpoint, which takes longest."""

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""They end a training, in a process by itself as in those that are launched."""

_STOPPED = {128 + number for number in SIGNALS}
_INPUT_IS_WRONG = 2
_PREFIX = "trainkit-workers-"


def launch(arguments: Sequence[str], *, workers: int) -> int:
    """Let several processes of this machine run a command as the workers of one training.

    Args:
        arguments: Of the command line of each: `["fit", "config.yaml"]`.
        workers: How many; the first is the chief, and has the terminal.

    Returns:
        The exit code.

    Raises:
        InputError: If there are fewer GPUs than workers.
    """
    gpus, ports = gpus_for(workers, os.environ), free_ports(workers)
    _remove_left_behind()
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-") as directory:
        told = {VARIABLE: Launcher(os.getpid(), workers, Path(directory)).to_text()}
        started = [Worker(index, arguments, told | environment_of(index, ports, gpus)) for index in range(workers)]
        watch = Watch(started, Path(directory))
        try:
            with watch.passing_signals():
                return watch.until_all_ended()
        finally:
            watch.kill()


def _remove_left_behind() -> None:
    """Remove the directories of launchers that were killed."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        process_id = directory.name.removeprefix(_PREFIX).partition("-")[0]
        try:
            os.kill(int(process_id), 0)
        except ProcessLookupError:
            shutil.rmtree(directory, ignore_errors=True)
        except (OSError, ValueError):  # of somebody else
            continue


class Watch:
    """Watches workers until all of them have ended.

    Args:
        workers: The chief first.
        directory: Where it tells where the run is.
    """

    def __init__(self, workers: Sequence[Worker], directory: Path) -> None:
        self._workers, self._directory = workers, directory
        self._run: Path | None = None
        self._signals = 0

    def until_all_ended(self) -> int:
        """Wait for all workers; returns the exit code of the command."""
        first = self._first_end()
        self._end_others(STOP_SECONDS if self._signals or first.code in _STOPPED else GRACE_SECONDS)
        self._keep_outputs()
        return self._tell(first)

    @contextmanager
    def passing_signals(self) -> Iterator[None]:
        """While the block lasts, a signal goes to the chief, which agrees with the others; a third kills all."""
        before = {number: signal.getsignal(number) for number in SIGNALS}
        before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}
        for number in before:
            signal.signal(number, self._pass)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def kill(self) -> None:
        """Leave no worker behind."""
        for worker in self._workers:
            worker.end()

    def _pass(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        for worker in self._workers if self._signals > 2 else self._workers[:1]:
            worker.send(number if self._signals < 3 else signal.SIGKILL)

    def _first_end(self) -> Worker:
        """Wait until a worker fails, or the chief has ended well; returns it."""
        while True:
            self._keep_outputs()
            ended = [worker for worker in self._workers if worker.code is not None]
            failed = sorted((worker for worker in ended if worker.code), key=_by_itself)
            if failed or self._workers[0].code is not None:
                return (failed or self._workers)[0]
            time.sleep(LOOK_SECONDS)

    def _end_others(self, seconds: float) -> None:
        """The others end by themselves; if not, they are told, and then killed."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            until = time.monotonic() + seconds
            while any(worker.code is None for worker in self._workers) and time.monotonic() < until:
                self._keep_outputs()
                time.sleep(LOOK_SECONDS)
            for worker in self._workers:
                worker.send(number)
        for worker in self._workers:
            worker.process.wait()

    def _keep_outputs(self) -> None:
        file = self._directory / RUN_FILE
        if self._run is None and file.exists():
            self._run = Path(file.read_text(encoding="utf-8"))
            logs = self._run / "workers"
            logs.mkdir(exist_ok=True)
            for worker in self._workers[1:]:
                worker.log = logs / f"worker_{worker.index}.log"
        for worker in self._workers:
            worker.keep_output()

    def _tell(self, first: Worker) -> int:
        """Say which worker failed, where the chief has not; returns the exit code of the command."""
        chief = self._workers[0]
        code = chief.code or 0
        is_told = first is chief and code > 0
        if not first.code or is_told or self._signals or first.code in _STOPPED or code == _INPUT_IS_WRONG:
            return code if code >= 0 else 128 - code
        print(f"error: {first.told_end()}{first.told_output()}", file=sys.stderr)
        if self._run and any(self._run.glob("checkpoints/step_*")):
            command = f"trainkit fit --resume {shlex.quote(str(self._run))} --workers {len(self._workers)}"
            print(f"go on with: {command}", file=sys.stderr)
        return 1


def _by_itself(worker: Worker) -> bool:
    """Sorts those first that were killed: the others may have ended because of that."""
    return (worker.code or 0) > 0

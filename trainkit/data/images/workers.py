"""What reading many images takes: threads, the memory there is, a line that tells how far it is."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CHUNK = 16  # rows a task: fewer cost more than reading them
_QUICK = 5e-4  # seconds a row: threads that do less only wait for each other's turn to run Python
_SILENT = 2.0  # seconds before progress is shown
_PAUSE = 0.2  # seconds between two lines of progress


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0))


def available_memory(meminfo: Path = Path("/proc/meminfo")) -> int:
    """Bytes that can be used without swapping; half of all memory where the system does not tell."""
    try:
        lines = meminfo.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def for_each_row(work: Callable[[int], None], rows: int, *, title: str) -> None:
    """Do something for every row, in threads; a terminal is shown how far it is where it takes a while.

    Args:
        work: What to do, in any order; the first exception ends all.
        rows: Number of rows.
        title: What is done, for the terminal: `Reading images`.
    """

    def run(start: int) -> int:
        for row in range(start, min(start + _CHUNK, rows)):
            work(row)
        return min(start + _CHUNK, rows)

    show, clear = _progress(title, rows)
    starts = range(0, rows, _CHUNK)
    for start in starts[:1]:  # the first is slower than all others: what it needs is imported
        run(start)
    began = time.perf_counter()
    for start in starts[1:2]:
        run(start)
    is_quick = time.perf_counter() - began < _QUICK * _CHUNK
    with ThreadPoolExecutor(1 if is_quick else cores()) as pool:
        try:
            for chunk in [pool.submit(run, start) for start in starts[2:]]:
                show(chunk.result())
        finally:
            pool.shutdown(cancel_futures=True)
            clear()


def _progress(title: str, rows: int) -> tuple[Callable[[int], None], Callable[[], None]]:
    """A function that shows how many rows are done, at times, and one that clears the line."""
    due = time.monotonic() + _SILENT
    visible = False

    def show(done: int) -> None:
        nonlocal due, visible
        if time.monotonic() >= due and sys.stderr.isatty():
            sys.stderr.write(f"\r{title}: {done:,} of {rows:,}")
            sys.stderr.flush()
            due, visible = time.monotonic() + _PAUSE, True

    def clear() -> None:
        if visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    return show, clear

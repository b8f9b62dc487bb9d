"""Files that grow by appending: cut to what they were when a checkpoint was written, so that nothing stands twice."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from trainkit.runs import Run
from trainkit.training.state import State

_EPOCH = re.compile(r"\S+ \S+ INFO epoch +\d+/\d+  ")


def cut_back(run: Run, state: State) -> None:
    """Cut the files of a run to what they were in a state; before the first step no event file stays."""
    events = [run.tensorboard / "train", run.tensorboard / "validation"]
    files = {name: size for name, size in state.files.items() if state.position.step or "tfevents" not in name}
    cut(files, base=run.directory, directories=events, log=run.log)


def sizes(paths: Iterable[Path], *, base: Path, wait: bool = True) -> dict[str, int]:
    """The bytes of each file that there is, by its path.

    Args:
        paths: Files.
        base: A directory that may be moved: what is in it is named from there.
        wait: Until they are on the disk.
    """
    return {_name(path, base): _synced_size(path) if wait else path.stat().st_size for path in paths if path.is_file()}


def cut(before: Mapping[str, int], *, base: Path, directories: Iterable[Path], log: Path | None = None) -> None:
    """Cut files to the sizes that they had.

    Args:
        before: What `sizes` returned.
        base: As then.
        directories: Where files that were not there are removed.
        log: Of this one, if there is one, only the lines of epochs go: an error that ended the training stays.
    """
    for name, size in before.items():
        path = base / name
        if path != log and path.is_file() and path.stat().st_size > size:
            os.truncate(path, size)
    for directory in directories:
        for path in directory.rglob("*"):
            if path.is_file() and _name(path, base) not in before:
                path.unlink()
    if log is not None:
        _cut_log(log, before.get(_name(log, base), 0))


def _name(path: Path, base: Path) -> str:
    path, base = path.absolute(), base.absolute()
    return str(path.relative_to(base) if path.is_relative_to(base) else path)


def _cut_log(log: Path, size: int) -> None:
    if not log.is_file():
        return
    content = log.read_bytes()
    rest = content[size:].decode("utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in rest if not _EPOCH.match(line)]
    if len(kept) < len(rest):
        with log.open("r+b") as file:  # written before it is cut: a kill in between takes no line away
            file.seek(size)
            file.write("".join(kept).encode())
            file.truncate()


def _synced_size(path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)

"""The lock of a directory: one process writes there at a time."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainkit.errors import OutputError, RunError

try:
    import fcntl
except ImportError:  # not a POSIX system: directories are not locked there
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


@contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Own a directory while the block lasts; the operating system drops the lock with the process, however that ends.

    Raises:
        RunError: If another process owns it, with its process id and host.
        OutputError: If the file system does not let it be locked.
    """
    descriptor = _open(directory)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        os.close(descriptor)


def _open(directory: Path) -> int:
    """The locked file of a directory; one that its owner has removed meanwhile is made anew."""
    filepath = directory / LOCK
    while True:
        try:
            descriptor = os.open(filepath, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise OutputError(f"{filepath.absolute()} cannot be written: {error.strerror}.") from error
        try:
            _lock(descriptor, filepath)
        except BaseException:
            os.close(descriptor)
            raise
        if filepath.exists() and os.path.samestat(os.fstat(descriptor), filepath.stat()):
            return descriptor
        os.close(descriptor)


def _lock(descriptor: int, filepath: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(descriptor, 200).decode(errors="replace").strip()
        raise RunError(f"{filepath.parent} is in use by {owner or 'another process'}.") from error
    except OSError as error:
        raise OutputError(f"{filepath.absolute()} cannot be locked: {error.strerror}.") from error

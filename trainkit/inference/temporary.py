"""A place for files that are passed to a child process or a library, and what is told where it has no room."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainkit.errors import DiskFullError, OutputError


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a new, empty directory, which is removed at the end.

    Raises:
        DiskFullError: If it, or a file in it, cannot be written.
    """
    folder = Path(tempfile.gettempdir())
    try:
        with tempfile.TemporaryDirectory(prefix="trainkit-") as name:
            folder = Path(name)
            yield folder
    except OutputError:
        raise
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not is_full and error.filename is not None and not Path(str(error.filename)).is_relative_to(folder):
            raise  # of another file, or of a program that could not be started
        raise DiskFullError(f"{folder} cannot be written: {error.strerror or error}.") from error

"""Writes that happen whole or not at all: a temporary name beside the target, fsync, rename."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trainkit.errors import DiskFullError, OutputError

_TEMPORARY = re.compile(r"\.\d+\.")


@contextmanager
def replace_file(filepath: Path) -> Iterator[Path]:
    """Yield a temporary path; what is written there takes the place of `filepath` when the block ends well.

    Raises:
        OutputError: If the file cannot be written; the old file, if there was one, is untouched.

    Example:
        >>> import tempfile; folder = Path(tempfile.mkdtemp())
        >>> with replace_file(folder / "a.txt") as temporary:
        ...     _ = temporary.write_text("whole")
        >>> (folder / "a.txt").read_text()
        'whole'
    """
    temporary = filepath.with_name(f".{os.getpid()}.{filepath.name}")  # keeps the suffix, which some writers read
    try:
        with _as_output_error(filepath):
            yield temporary
            _sync(temporary)
            os.replace(temporary, filepath)
            _sync(filepath.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replace_directory(directory: Path) -> Iterator[Path]:
    """Yield a new, empty directory that takes the place of `directory`, with all it holds, when the block ends well.

    Directories above it that are missing are made. Between the two renames of a replacement the old one stands under
    `.old.NAME`; `recover_directory` puts it back.

    Raises:
        OutputError: If it cannot be written; the old directory, if there was one, is untouched.
    """
    recover_directory(directory)
    temporary = directory.with_name(f".{os.getpid()}.{directory.name}")
    old = _old(directory)
    try:
        with _as_output_error(directory):
            shutil.rmtree(temporary, ignore_errors=True)  # of a killed process that had this one's id
            temporary.mkdir(parents=True)
            yield temporary
            for path in [*temporary.rglob("*"), temporary]:
                _sync(path)
            if directory.exists():
                os.rename(directory, old)
            os.rename(temporary, directory)
            _sync(directory.parent)
    finally:
        with suppress(OutputError):
            recover_directory(directory)
        shutil.rmtree(temporary, ignore_errors=True)


def recover_directory(directory: Path) -> None:
    """Put back the directory that `replace_directory` had moved aside when its process was killed, or remove it if the
    new one was in its place already.

    Raises:
        OutputError: If it cannot be put back.
    """
    if directory.exists():
        shutil.rmtree(_old(directory), ignore_errors=True)
    elif _old(directory).exists():
        with _as_output_error(directory):
            os.rename(_old(directory), directory)


def remove_temporaries(directory: Path, *, name: str | None = None) -> None:
    """Remove what processes that were killed have left half written in a directory.

    Args:
        directory: To which nobody else writes now.
        name: Where others write to it, too: only what was to be this file or directory.
    """
    for path in directory.glob(".*"):
        found = _TEMPORARY.match(path.name)
        if found and name in (None, path.name[found.end() :]):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def write_text(filepath: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replace_file(filepath) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(filepath: Path, value: Any) -> None:
    """Write a value as indented JSON, whole or not at all."""
    write_text(filepath, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def append_text(filepath: Path, text: str) -> None:
    """Write behind the end of a text file; where that fails, the file is what it was.

    Unlike `write_text` this does not wait for the disk, so that a machine that loses its power may lose the text.
    """
    size = filepath.stat().st_size
    with _as_output_error(filepath):
        try:
            with filepath.open("ab") as file:
                file.write(text.encode())
        except OSError:
            os.truncate(filepath, size)
            raise


def _old(directory: Path) -> Path:
    return directory.with_name(f".old.{directory.name}")


@contextmanager
def _as_output_error(target: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not is_full and error.filename is not None and not _is_beside(target, error.filename):
            raise  # the caller's own: another file, a program that could not be started
        with suppress(OSError):
            target = target.absolute()
        kind = DiskFullError if is_full else OutputError
        raise kind(f"{target} cannot be written: {error.strerror or error}.") from error


def _is_beside(target: Path, filename: object) -> bool:
    """Whether a file that failed is the target, its temporary, or below one of them."""
    return Path(os.path.abspath(str(filename))).is_relative_to(Path(os.path.abspath(target)).parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

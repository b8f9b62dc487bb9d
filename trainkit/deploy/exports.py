"""Files that were exported and proved, kept so that a deploy that was stopped makes only the others."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from trainkit.deploy.compress.store import key_of
from trainkit.deploy.export.preprocess import take_preprocess
from trainkit.deploy.verify import FileReport
from trainkit.inference.preprocess import FILE_NAME
from trainkit.runs import remove_temporaries, replace_directory, sha256_of, write_json

_RECORD = "record.json"


class Exports:
    """The files of a deploy that is not done: a directory each, with what the file needs beside it and its report.

    Args:
        directory: Where they stand; nobody else writes there.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        remove_temporaries(directory)

    def make(self, filename: str, key: str, export: Callable[[Path], FileReport]) -> FileReport:
        """Export and prove a file, and keep it with its report.

        Args:
            filename: Its name.
            key: What it follows from.
            export: Writes it to a path, in an empty directory, and proves it.

        Raises:
            OutputError: If it cannot be written.
        """
        with replace_directory(self._directory / filename) as folder:
            report = export(folder / filename)
            digests, told = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}, asdict(report)
            write_json(folder / _RECORD, {"version": 1, "key": key_of(key, digests, told), "report": told})
        return report

    def find(self, filename: str, key: str) -> FileReport | None:
        """The report of a file that was kept and follows from the same; of one that is damaged there is none."""
        folder = self._directory / filename
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
            record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
            digests = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.name != _RECORD}
            if (record["version"], record["key"]) == (1, key_of(key, digests, record["report"])):
                return FileReport.from_json(record["report"])
        return None

    def put(self, filename: str, directory: Path) -> None:
        """Let a file stand in another directory, too: as one file under two names, where the disk can do that."""
        folder = self._directory / filename
        for path in folder.iterdir():
            if path.name not in (_RECORD, FILE_NAME):
                _link(path, directory / path.name)
        take_preprocess(directory / filename, folder)

    def drop(self, filename: str) -> None:
        """Keep a file no longer."""
        shutil.rmtree(self._directory / filename, ignore_errors=True)

    def clear(self) -> None:
        """Keep nothing; the directory above goes, too, if nothing is in it."""
        shutil.rmtree(self._directory, ignore_errors=True)
        with suppress(OSError):
            self._directory.parent.rmdir()


def _link(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link_file)
    else:
        _link_file(source, target)


def _link_file(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without such links
        shutil.copy2(source, target)

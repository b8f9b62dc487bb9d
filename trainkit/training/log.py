"""What a training says, also written to its log."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console

LOG = logging.getLogger("trainkit")


@contextmanager
def logging_to(filepath: Path) -> Iterator[None]:
    """Write what the logger `trainkit` gets to a file while the block lasts."""
    handler = _QuietFileHandler(filepath, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    level = LOG.level
    LOG.setLevel(logging.INFO)
    LOG.addHandler(handler)
    LOG.propagate = False
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(level)
        LOG.propagate = True
        with suppress(OSError):
            handler.close()


class _QuietFileHandler(logging.FileHandler):
    """A log on a full disk is no reason to stop, nor to print a traceback a line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say nothing."""


class SteadyConsole(Console):
    """A console that says nothing more when nobody reads it any more: that is no reason to end a training."""

    def on_broken_pipe(self) -> None:
        """Go on quietly; what is said still goes to the log."""
        self.quiet = True
        with suppress(OSError, ValueError):  # not to be told again when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(console: Console, line: str) -> None:
    """Show a line as it is, and log it."""
    LOG.info(line)
    console.print(line, markup=False, highlight=False, soft_wrap=True)

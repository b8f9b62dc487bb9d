"""What is written beside files that were proved: whatever becomes of it, they stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from trainkit.errors import OutputError
from trainkit.inference.predictor import reason_of
from trainkit.training.log import LOG, say


@contextmanager
def beside(what: str, console: Console) -> Iterator[None]:
    """Tell what could not be written, and go on; the traceback goes to the log, and to the screen under `--debug`.

    Args:
        what: What the block writes.
        console: Where a failure is told.

    Raises:
        OutputError: If there is no room on the disk: the files themselves could not be written either.
    """
    try:
        yield
    except OutputError:
        raise
    except Exception as error:  # nothing that is made of proved files is worth losing them
        say(console, f"{what} could not be written: {type(error).__name__}: {reason_of(error)}")
        LOG.info("%s", what, exc_info=True)

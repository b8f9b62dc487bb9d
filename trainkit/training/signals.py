"""Signals that end a training between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from trainkit.workers import SIGNALS


class Signals:
    """Holds SIGINT, SIGTERM and SIGHUP back: an exception that is raised anywhere can be lost in a destructor.

    A second signal is answered at once, wherever the training is.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._asked: int | None = None

    @property
    def asked(self) -> bool:
        """Whether a signal came that was not answered yet."""
        return self._asked is not None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hold signals back while the block lasts, but for those that are ignored; outside the main thread, none."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._before = {number: signal.getsignal(number) for number in SIGNALS}
        self._before = {number: handler for number, handler in self._before.items() if handler != signal.SIG_IGN}
        for number in self._before:
            signal.signal(number, self._hold)
        try:
            yield
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self.answer()

    def answer(self) -> None:
        """Do what would have been done when the signal came, if one came."""
        number, self._asked = self._asked, None
        if number is not None:
            self._do(number)

    def _do(self, number: int) -> None:
        handler = self._before[number]
        if callable(handler):
            handler(number, None)
        elif handler == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        is_second, self._asked = self._asked is not None, number
        if is_second:
            self._do(number)  # still asked: what is raised here may be lost in a destructor

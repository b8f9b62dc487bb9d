"""A signal that stops the training between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from trainkit.framework import tf

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop(tf.keras.callbacks.Callback):
    """Answers SIGINT and SIGTERM between two batches: an exception that is raised anywhere can be lost in a destructor.

    A second signal is answered at once, wherever the training is.
    """

    def __init__(self) -> None:
        super().__init__()
        self._supports_tf_logs = True  # else Keras waits for every batch's metrics
        self._before: dict[int, Any] = {}
        self._asked: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hold signals back until a batch ends, while the block lasts; outside the main thread, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._before = {number: signal.signal(number, self._hold) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._answer()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Answer a signal that came during the step."""
        self._answer()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """As during training."""
        self._answer()

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if self._asked is not None:
            self._answer()
        self._asked = number

    def _answer(self) -> None:
        """Do what would have been done when the signal came."""
        number, self._asked = self._asked, None
        if number is None:
            return
        handler = self._before[number]
        if callable(handler):
            handler(number, None)
        elif handler == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

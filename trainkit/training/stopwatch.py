"""Where time goes: seconds of each part of what a process does, none of them counted twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any


class Stopwatch:
    """Counts the seconds of parts; while a part runs inside of another, the other one's seconds stand still.

    Example:
        >>> stopwatch = Stopwatch()
        >>> with stopwatch("all"), stopwatch("a part"):
        ...     pass
        >>> sorted(stopwatch.seconds)
        ['a part', 'all']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._running: list[str] = []
        self._since = 0.0

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Count the seconds of the block as those of a part."""
        self._turn()
        self._running.append(part)
        try:
            yield
        finally:
            self._turn()
            self._running.pop()

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function whose seconds are those of a part."""

        @wraps(function)
        def run(*arguments: Any, **options: Any) -> Any:
            with self(part):
                return function(*arguments, **options)

        return run

    def move(self, seconds: float, part: str, to: str) -> None:
        """Count seconds of a part as those of another."""
        self.seconds[part] -= seconds
        self.seconds[to] = self.seconds.get(to, 0.0) + seconds

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._running:
            part = self._running[-1]
            self.seconds[part] = self.seconds.get(part, 0.0) + now - self._since
        self._since = now

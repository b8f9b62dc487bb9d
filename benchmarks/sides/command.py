"""`trainkit fit` under a stopwatch: command.py ARGUMENT…, the arguments those of `trainkit fit`.

Told are when the first step was done, the seconds of each epoch with all that is done up to the next one, and of them
those outside of training steps. A call does many steps: its first one counts as done after its share of the call.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from channel import Channel

channel = Channel()
first: list[float] = []
epochs: list[float] = []
steps: list[float] = []


class Timed:
    """An executor under a stopwatch."""

    def __init__(self, executor: Any) -> None:
        self.__dict__["_executor"] = executor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._executor, name, value)

    def __call__(self, *asked: Any, **more: Any) -> tuple[int, dict[str, Any]]:
        clock, began = time.time(), time.perf_counter()
        count, values = self._executor(*asked, **more)
        steps[-1] += time.perf_counter() - began
        first.append(clock + (time.time() - clock) / count)
        return count, values


def watch() -> None:
    """Put stopwatches around the parts of the loop."""
    from trainkit.training.loop import Loop

    run_epoch = Loop._run_epoch

    def timed_epoch(loop: Loop) -> dict[str, float]:
        train = loop._train
        steps.append(0.0)
        loop._train = Timed(train)  # type: ignore[assignment]
        began = time.perf_counter()
        try:
            return run_epoch(loop)
        finally:
            epochs.append(time.perf_counter() - began)
            loop._train = train

    Loop._run_epoch = timed_epoch  # type: ignore[method-assign]


watch()
from trainkit.cli import main  # noqa: E402

sys.argv = ["trainkit", "fit", *sys.argv[1:]]
try:
    main()
except SystemExit as error:
    if error.code:
        raise
channel.answer(first=first[0], epochs=epochs, steps=steps, ended=time.time())

"""The child process that times a model file: `python -m trainkit.inference.timing.child`.

It reads a request on each line of standard input, JSON with `do` and arguments, and answers each with a line of JSON on
standard output: the result, or `error`. It ends when its input does.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.inference.predictor import describe, reason_of
from trainkit.inference.preprocess import read_preprocess
from trainkit.inference.timing.memory import peak_bytes, reset_peak, resident_bytes
from trainkit.inference.timing.runtime import TimedModel, runtime_of

MOST_RUNS = 100_000
"""Of one slice."""


class Child:
    """A file, step by step: each public method is a request."""

    def __init__(self) -> None:
        self._model: TimedModel
        self._inputs: dict[str, np.ndarray] = {}
        self._feeds: list[Any] = []
        self._batch = 0
        self._next = 0
        self._before: int | None = None

    def start(self, *, file: str) -> dict[str, Any]:
        """Import the runtime of a file: what comes after counts, in time and memory."""
        self._runtime, self._filepath = runtime_of(Path(file)), Path(file)
        gc.collect()
        self._before, self._is_reset = resident_bytes(), reset_peak()
        return {"runtime": self._runtime.RUNTIME}

    def open(self, *, threads: int, config: str | None = None) -> dict[str, Any]:
        """Open the file."""
        began = time.perf_counter()
        self._model = self._runtime(self._filepath, threads=threads, config=config)
        load_us = (time.perf_counter() - began) * 1e6
        return {"load_us": load_us, "inputs": describe(self._model.inputs, {})["inputs"]}

    def give(self, *, arrays: str, names: list[str], raw: bool) -> dict[str, Any]:
        """Take samples from an .npz file, real values by input name; `raw` ones go through `preprocess.json` first."""
        before = resident_bytes()
        with np.load(arrays, allow_pickle=False) as stored:
            inputs: Mapping[str, np.ndarray] = {name: stored[f"arr_{index}"] for index, name in enumerate(names)}
        preprocess = read_preprocess(self._filepath) if raw else None
        self._inputs = dict(preprocess.apply(inputs) if preprocess else inputs)
        if self._before is not None and before is not None:
            self._before += max(0, (resident_bytes() or 0) - before)  # the samples are not the file's
        return {}

    def warm(self, *, batch: int, seconds: float) -> dict[str, Any]:
        """Run it for the first time with so many samples at once, then for a while: the first time, the peak."""
        self._set(batch)
        began = time.perf_counter()
        self._run()
        first_us = (time.perf_counter() - began) * 1e6
        self._slice(seconds)
        peak = None if self._before is None else max(0, peak_bytes() - self._before)
        return {"first_us": first_us, "peak_bytes": peak, "peak_is_reset": self._is_reset}

    def measure(self, *, batch: int, seconds: float) -> dict[str, Any]:
        """Run it for a slice of time; one run before that is not counted."""
        self._set(batch)
        self._run()
        return {"ns": self._slice(seconds)}

    def facts(self) -> dict[str, Any]:
        """What the runtime tells of the file."""
        return self._model.facts()

    def profile(self, *, seconds: float) -> dict[str, Any]:
        """Time each operation; nothing else is asked of this process then."""
        return self._model.profile(self._inputs, seconds)

    def _set(self, batch: int) -> None:
        if batch != self._batch:
            self._feeds = self._model.feeds(self._inputs, batch)
            self._batch = batch

    def _run(self) -> None:
        self._next += 1
        self._model.run(self._feeds[self._next % len(self._feeds)])

    def _slice(self, seconds: float) -> list[int]:
        times: list[int] = []
        gc.collect()
        gc.disable()
        try:
            end = time.perf_counter_ns() + int(seconds * 1e9)
            while len(times) < MOST_RUNS:
                began = time.perf_counter_ns()
                self._run()
                now = time.perf_counter_ns()
                times.append(now - began)
                if now >= end:
                    break
        finally:
            gc.enable()
        return times


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what native code prints is no answer
    child = Child()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(child, request.pop("do"))(**request)
        except Exception as error:  # all of them are for the parent to report
            answer = {"error": str(error).strip() or reason_of(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

"""What the tests of the benchmark share: planted timings and results."""

from __future__ import annotations

import pytest

from trainkit.deploy.benchmark.result import Benchmark, FileResult
from trainkit.deploy.benchmark.statistics import Timing

MACHINE = {"cpu": "Abacus 3", "cores": 2, "system": "Linux x86_64"}


@pytest.fixture
def timing():
    """A timing with a median and a noise of one's choice."""

    def make(p50, *, noise=0.0, threads=1, batch=1):
        rounds = (p50 * (1 - noise / 2), p50, p50 * (1 + noise / 2))
        return Timing(threads, batch, 30, p50, 1.5 * p50, 2.0 * p50, 1e6 * batch / p50, rounds, noise)

    return make


@pytest.fixture
def result(timing):
    """A result with files of one's choice: name to timings."""

    def make(files, *, reference=100.0, versions=None, inputs="32 test samples of the run", errors=None):
        found = [
            FileResult(name, "LiteRT", 1_000, "0" * 64, inputs, tuple(timings), error=(errors or {}).get(name, ""))
            for name, timings in files.items()
        ]
        settings = {"batch": 32, "threads": [1], "seconds": 1.0, "rounds": 3}
        return Benchmark(MACHINE, versions or {"python": "3.11.9"}, settings, timing(reference), tuple(found))

    return make

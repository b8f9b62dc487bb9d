"""How fast the files are, as `benchmark.json` has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.deploy.page.records import entries_of, number_of, part_of


@dataclass(frozen=True)
class Timing:
    """How long one file takes in one setting; times are in microseconds.

    Args:
        file: Its name.
        runtime: What ran it.
        threads: How many it used.
        batch: Samples a call.
        p50: Median of a call.
        p95: 95 of 100 calls take at most so long.
        p99: 99 of 100 calls take at most so long.
        load: Until the file can answer.
        memory: Most bytes that the process took.
        fault: Why there are no times.
    """

    file: str
    runtime: str
    threads: int
    batch: int
    p50: float | None
    p95: float | None
    p99: float | None
    load: float | None
    memory: float | None
    fault: str = ""


@dataclass(frozen=True)
class LatencyFacts:
    """How fast the files are.

    Args:
        timings: In the order of the files.
        machine: What they were measured on, by name.
    """

    timings: tuple[Timing, ...]
    machine: tuple[tuple[str, str], ...]

    @property
    def single(self) -> list[Timing]:
        """One sample and one thread, or as few as there are: what is drawn."""
        known = [timing for timing in self.timings if timing.p50 is not None]
        batch = min((timing.batch for timing in known), default=1)
        known = [timing for timing in known if timing.batch == batch]
        threads = min((timing.threads for timing in known), default=1)
        return [timing for timing in known if timing.threads == threads]

    @property
    def longest(self) -> float:
        """The longest time that is drawn."""
        return max((timing.p95 or timing.p50 or 0.0 for timing in self.single), default=0.0)

    def of(self, file: str) -> Timing | None:
        """How long one file takes for one sample."""
        return next((timing for timing in self.single if timing.file == file), None)


def read_latency(record: Mapping[str, Any]) -> LatencyFacts | None:
    """What a `benchmark.json` tells; None where there is none."""
    timings = tuple(_timings(record))
    return LatencyFacts(timings, tuple(_machine(record))) if timings else None


def _timings(record: Mapping[str, Any]) -> Iterator[Timing]:
    for entry in entries_of(record, "files"):
        yield Timing(
            file=str(entry.get("file", "")),
            runtime=str(entry.get("runtime", "")),
            threads=int(entry.get("threads") or 1),
            batch=int(entry.get("batch") or 1),
            p50=number_of(entry.get("p50")),
            p95=number_of(entry.get("p95")),
            p99=number_of(entry.get("p99")),
            load=number_of(entry.get("load")),
            memory=number_of(entry.get("peak_memory")),
        )


def _machine(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in part_of(record, "machine").items():
        if isinstance(value, str | int | float):
            yield str(key), str(value)

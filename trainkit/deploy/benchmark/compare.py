"""A result against an earlier one: what became slower by more than both have as noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainkit.deploy.benchmark.result import Benchmark, Earlier
from trainkit.deploy.benchmark.statistics import Timing
from trainkit.errors import InputError, PromiseError

LEAST = 0.05
"""Slower by no more than that is never told: so much differs between two runs whatever the rounds of each say."""
NOISES = 2.0
"""How many times the noise of both results together may be exceeded."""


@dataclass(frozen=True)
class Change:
    """The median latency of a file, then and now, at one size of batch and number of threads.

    Args:
        file: Its name.
        old: Then.
        new: Now.
        drift: How much longer the reference takes now, 1 at least: the machine itself is slower by so much.
    """

    file: str
    old: Timing
    new: Timing
    drift: float

    @property
    def limit_us(self) -> float:
        """Old × drift × (1 + the larger of 5% and twice the noise of both results)."""
        return self.old.p50_us * self.drift * (1 + max(LEAST, NOISES * (self.old.noise + self.new.noise)))

    @property
    def is_slower(self) -> bool:
        """Whether it is slower beyond the noise."""
        return self.new.p50_us > self.limit_us

    def __str__(self) -> str:
        threads = f"{self.new.threads} thread{'s' if self.new.threads > 1 else ''}"
        noise = f"noise {self.old.noise:.1%} then, {self.new.noise:.1%} now"
        slower = f", the machine {self.drift:.2f}× slower" if self.drift >= 1.005 else ""
        return (
            f"{self.file}, batch {self.new.batch}, {threads}: {self.new.p50_us:,.1f} µs, was {self.old.p50_us:,.1f} "
            f"µs; {noise}{slower}; limit {self.limit_us:,.1f} µs"
        )


def check_comparable(earlier: Earlier, machine: dict[str, object], filepath: Path) -> None:
    """Refuse an earlier result of another machine, before anything is timed.

    Raises:
        InputError: With what differs.
    """
    for key, name in {"cpu": "processor", "cores": "number of cores", "system": "system"}.items():
        then, now = earlier.machine.get(key), machine[key]
        if then != now:
            rule = f"{filepath} must be of this machine: times of another say nothing of a file"
            raise InputError(f"{rule}. Received: {name} {then!r} there, {now!r} here. Measure both files here.")


def compare(earlier: Earlier, result: Benchmark, filepath: Path) -> tuple[list[Change], list[str]]:
    """What became of the files that both results have.

    Args:
        earlier: An earlier result of the same machine.
        result: A new one.
        filepath: Where the earlier one stands.

    Returns:
        A change for each timing of both, and what has to be known when they are compared.

    Raises:
        InputError: If they have no timing in common.
    """
    drift = max(1.0, result.reference.p50_us / earlier.reference.p50_us)
    changes = [
        Change(file.file, old, new, drift)
        for file in result.files
        for new in file.timings
        if (old := earlier.timings.get((file.file, new.threads, new.batch))) is not None
    ]
    if not changes:
        rule = f"{filepath} must have a file, a size of batch and a number of threads of these"
        raise InputError(f"{rule}. Received: {sorted({name for name, _, _ in earlier.timings})}.")
    return changes, list(_notes(earlier, result, changes))


def check_speed(changes: list[Change], filepath: Path) -> None:
    """Fail on what became slower.

    Raises:
        PromiseError: With each file, both times, the noise and the limit.
    """
    slower = [change for change in changes if change.is_slower]
    if slower:
        told = "\n".join(f"  {change}" for change in slower)
        raise PromiseError(f"{len(slower)} of {len(changes)} timings are slower than in {filepath}:\n{told}")


def _notes(earlier: Earlier, result: Benchmark, changes: list[Change]) -> Iterator[str]:
    for name in sorted({*earlier.versions, *result.versions}):
        then, now = earlier.versions.get(name, "none"), result.versions.get(name, "none")
        if then != now:
            yield f"{name} was {then} then, and is {now} now: what changed may be that"
    compared = {change.file for change in changes}
    now_files = {file.file: file for file in result.files}
    for name in sorted({name for name, _, _ in earlier.timings} - compared):
        yield f"{name} was timed then, and is not now"
    for name in sorted(now_files.keys() - compared):
        yield f"{name} is timed now, and was not then"
    for name in sorted(compared):
        if earlier.inputs[name] != now_files[name].inputs:
            yield f"{name} had other inputs then: {earlier.inputs[name]}"

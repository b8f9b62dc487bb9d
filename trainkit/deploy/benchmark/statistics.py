"""From the times of single runs to percentiles, throughput and noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FEW_ROUNDS = 4
"""Of fewer the quartiles say nothing: then the noise is the whole spread."""


@dataclass(frozen=True)
class Timing:
    """The latency of a file, at one size of batch and with so many threads; times in microseconds.

    Args:
        threads: That its runtime may use.
        batch: Samples that go in at once.
        runs: Runs that were timed.
        p50_us: Half of them took no longer.
        p95_us: 95% of them took no longer.
        p99_us: 99% of them took no longer.
        samples_per_second: Over all runs, slow ones too.
        round_medians_us: The median of each round.
        noise: How far the rounds differ: the distance of the quartiles of their medians, as a share of their median.
    """

    threads: int
    batch: int
    runs: int
    p50_us: float
    p95_us: float
    p99_us: float
    samples_per_second: float
    round_medians_us: tuple[float, ...]
    noise: float

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Timing:
        """The inverse of `asdict`."""
        return cls(**{**values, "round_medians_us": tuple(values["round_medians_us"])})


def summarize(rounds: Sequence[Sequence[int]], *, threads: int, batch: int) -> Timing:
    """Summarize the runs of a file.

    Args:
        rounds: The nanoseconds of each run, round by round; no round is empty.
        threads: That were used.
        batch: Samples of a run.
    """
    times = np.concatenate([np.asarray(one, np.float64) for one in rounds]) / 1e3
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    medians = tuple(float(np.median(one)) / 1e3 for one in rounds)
    return Timing(
        threads=threads,
        batch=batch,
        runs=times.size,
        p50_us=float(p50),
        p95_us=float(p95),
        p99_us=float(p99),
        samples_per_second=float(batch * times.size / times.sum() * 1e6),
        round_medians_us=medians,
        noise=noise_of(medians),
    )


def noise_of(medians: Sequence[float]) -> float:
    """How far rounds differ, as a share of their median.

    Example:
        >>> noise_of([100.0, 101.0, 102.0, 103.0, 104.0]), noise_of([10.0, 11.0])
        (0.0196078431372549, 0.09523809523809523)
    """
    low, high = (0, 100) if len(medians) < FEW_ROUNDS else (25, 75)
    first, middle, last = np.percentile(medians, [low, 50, high])
    return float((last - first) / middle)

"""Percentiles, throughput and noise of planted times."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from trainkit.deploy.benchmark.statistics import Timing, noise_of, summarize


def test_summarize_tells_percentiles_of_all_runs_in_microseconds():
    timing = summarize(
        [[1_000 * value for value in range(0, 101, 2)], [1_000 * value for value in range(1, 101, 2)]],
        threads=2,
        batch=4,
    )
    assert (timing.p50_us, timing.p95_us, timing.p99_us) == (50.0, 95.0, 99.0)
    assert (timing.runs, timing.threads, timing.batch) == (101, 2, 4)
    assert timing.round_medians_us == (50.0, 50.0)


def test_throughput_counts_slow_runs_and_all_samples_of_a_batch():
    timing = summarize([[1_000_000] * 9, [991_000_000]], threads=1, batch=8)  # 10 runs in a second
    assert timing.samples_per_second == pytest.approx(80.0)
    assert timing.p50_us == 1_000.0


def test_noise_is_the_distance_of_the_quartiles_of_the_rounds():
    assert noise_of([90.0, 95.0, 100.0, 105.0, 110.0]) == pytest.approx(0.1)
    assert noise_of([100.0] * 6) == 0.0


def test_noise_leaves_a_round_out_in_which_something_else_ran():
    assert noise_of([100.0] * 9 + [900.0]) == 0.0


def test_noise_of_few_rounds_is_their_whole_spread():
    assert noise_of([100.0, 100.0, 130.0]) == pytest.approx(0.3)


def test_noise_is_between_rounds_not_within_them():
    timing = summarize([[1_000, 9_000, 5_000]] * 5, threads=1, batch=1)
    assert timing.noise == 0.0


def test_timing_comes_back_from_json():
    timing = summarize([[1_000, 2_000], [3_000]], threads=1, batch=1)
    assert Timing.from_json(asdict(timing)) == timing

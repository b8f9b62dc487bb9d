"""How long the training steps of an epoch take."""

import time

import pytest

from trainkit.callbacks import Clock


@pytest.fixture
def moments(monkeypatch):
    """Let time pass by hand."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def test_clock_does_not_count_validation(moments):
    clock = Clock(samples=100)
    moments[0] = 10.0
    clock.on_epoch_begin(0)
    moments[0] = 12.0
    clock.on_test_begin()
    moments[0] = 20.0
    clock.on_epoch_end(0)
    assert clock.seconds == 2.0
    assert clock.samples_per_second() == 50.0


def test_clock_runs_on_until_the_epoch_ends(moments):
    clock = Clock(samples=100)
    moments[0] = 1.0
    clock.on_epoch_begin(0)
    moments[0] = 3.0
    assert clock.samples_per_second(share=0.5) == 25.0
    moments[0] = 5.0
    clock.on_epoch_end(0)
    moments[0] = 9.0
    assert clock.seconds == 4.0

"""A training that was killed, however often, ends as if nothing had happened: bit for bit."""

from __future__ import annotations

import random
import time

import pytest

from .comparison import batch_losses, board, differences, history, leftovers, state

pytestmark = pytest.mark.slow

KILLS = 3
"""In the life of one training, one after the other."""


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["stopped", "plateau"])
def test_a_training_that_was_killed_at_any_moment_goes_on_exactly(name, seed, whole, begin):
    training, moments = begin(name), random.Random(f"{name} {seed}")
    for _ in range(KILLS):
        process = training.begin()
        time.sleep(moments.uniform(0, whole(name).seconds))
        process.kill()
        assert process.wait().code in (0, -9)
    ended = training.fit()
    assert ended.code == 0, ended.err
    assert differences(training.run, whole(name).run) == []


@pytest.mark.parametrize("seed", range(3))
def test_without_strict_the_order_of_the_data_goes_on(seed, whole, begin):
    training, moments = begin("seeded"), random.Random(seed)
    for _ in range(KILLS):
        process = training.begin()
        time.sleep(moments.uniform(0.3, 1) * whole("seeded").seconds)
        process.kill()
        process.wait()
    assert training.fit().code == 0
    run, other = training.run, whole("seeded").run
    losses = batch_losses(other)
    assert len(set(losses.values())) == len(losses) == 28
    assert batch_losses(run) == pytest.approx(losses, rel=1e-4)
    assert [row.keys() for row in history(run)] == [row.keys() for row in history(other)]
    for part, events in board(run).items():
        assert [event[:2] for event in events] == [event[:2] for event in board(other)[part]]
    assert state(run)["position"] == state(other)["position"]
    assert leftovers(run) == []


def test_a_process_of_the_server_trains_as_one_of_a_shell_does(whole, begin):
    training = begin("stopped")
    assert training.fit_in_shell() == 0
    assert differences(training.run, whole("stopped").run) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_training_of_a_shell_that_was_killed_goes_on_exactly(seed, whole, begin):
    training, moments = begin("plateau"), random.Random(seed)
    training.fit_in_shell(seconds=moments.uniform(0.1, 12))
    assert training.fit().code == 0
    assert differences(training.run, whole("plateau").run) == []

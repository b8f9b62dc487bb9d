"""A signal ends a training between two steps with a checkpoint of that step; a second one ends it at once."""

from __future__ import annotations

import random
import re
import signal
import time

import pytest

from trainkit.runs.checkpoints import Checkpoints

from .comparison import differences

pytestmark = pytest.mark.slow

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
LONG_VALIDATION = ("data.validation_split=0.8", "data.batch_size=3", "training.epochs=2")


def check_stop(training, ended, number):
    """A stop that was asked for is told, and leaves the checkpoint of its very step."""
    assert ended.code == CODES[number], ended.err
    assert "Traceback" not in ended.err + ended.out
    told = re.search(r"stopped after \d+ epochs, at step ([\d,]+)\n", ended.out)
    if told is not None:  # else it had not begun
        step = int(told[1].replace(",", ""))
        assert Checkpoints(training.run.checkpoints).newest() == (step, [])
        assert "go on with: trainkit fit --resume " in ended.out


@pytest.mark.parametrize("number", CODES, ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("seed", range(6))
def test_a_signal_at_any_moment_leaves_the_checkpoint_of_its_step(seed, number, whole, begin):
    training, moments = begin("stopped"), random.Random(f"{number} {seed}")
    for _ in range(2):
        process = training.begin()
        time.sleep(moments.uniform(0.05, whole("stopped").seconds))
        process.send(number)
        ended = process.wait()
        if ended.code != 0:
            check_stop(training, ended, number)
    assert training.fit().code == 0
    assert differences(training.run, whole("stopped").run) == []


@pytest.mark.parametrize("number", CODES, ids=["SIGINT", "SIGTERM"])
def test_a_signal_breaks_a_validation_off(number, whole, begin):
    training = begin("brief", *LONG_VALIDATION)
    process = training.begin()
    training.wait_for((training.run.checkpoints / "step_000000002").exists, process)
    time.sleep(0.7)  # the third step is the last of the epoch
    process.send(number)
    sent = time.monotonic()
    ended = process.wait()
    assert time.monotonic() - sent < 2
    check_stop(training, ended, number)
    assert "stopped after 0 epochs, at step 3\n" in ended.out
    assert training.fit().code == 0
    assert differences(training.run, whole("brief", *LONG_VALIDATION).run) == []


@pytest.mark.parametrize("number", CODES, ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("seed", range(4))
def test_a_second_signal_ends_it_at_once(seed, number, whole, begin):
    training, moments = begin("stopped"), random.Random(seed)
    process = training.begin()
    training.wait_for((training.run.checkpoints / "step_000000000").exists, process)
    time.sleep(moments.uniform(0, 1))
    process.send(number)
    time.sleep(moments.choice([0.05, 0.2]))
    process.send(number)
    sent = time.monotonic()
    time.sleep(0.5)
    process.send(number)  # two that come while TensorFlow computes are one
    ended = process.wait()
    assert time.monotonic() - sent < 2
    assert ended.code in (CODES[number], -number), ended.err  # a shell shows one number for both
    assert "Traceback" not in ended.err + ended.out
    assert Checkpoints(training.run.checkpoints).newest()[1] == []
    assert training.fit().code == 0
    assert differences(training.run, whole("stopped").run) == []

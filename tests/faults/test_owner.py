"""One process writes to a run; whoever else comes is told who does."""

from __future__ import annotations

import re
import socket

import pytest

from .comparison import differences

pytestmark = pytest.mark.slow

LONG = ("training.epochs=400",)


@pytest.fixture
def training(begin):
    """A training that goes on for a while."""
    return begin("constant", *LONG)


@pytest.fixture
def process(training):
    """Its process, which has written a checkpoint."""
    process = training.begin()
    training.wait_for((training.run.checkpoints / "step_000000000").exists, process)
    yield process
    process.kill()
    process.wait()


def test_a_second_process_is_refused_with_the_first_ones_name(training, process):
    ended = training.fit()
    assert ended.code == 2
    assert f"in use by process {process.pid} on {socket.gethostname()}." in ended.err
    assert process.is_running


def test_a_lock_whose_owner_was_killed_is_no_obstacle(begin, whole):
    training = begin("stopped")
    process = training.begin()
    training.wait_for((training.run.checkpoints / "step_000000003").exists, process)
    process.kill()
    process.wait()
    assert f"process {process.pid} on " in (training.run.directory / ".lock").read_text()
    assert training.fit().code == 0
    assert differences(training.run, whole("stopped").run) == []


@pytest.mark.parametrize("command", ["deploy", "evaluate"])
def test_a_run_that_is_being_trained_has_no_model_yet(command, training, process, server):
    ended = server.run(command, "runs/small/001", folder=training.folder)
    assert ended.code == 2
    assert re.search(r"error: \S*runs/small/001 ", ended.err)
    assert "Traceback" not in ended.err
    assert process.is_running


def test_a_run_that_is_made_longer_is_evaluated_but_not_deployed(begin, server):
    training = begin("constant")
    assert training.fit().code == 0
    training.overrides = LONG
    process = training.begin()
    training.wait_for((training.run.checkpoints / "step_000000045").exists, process)
    before = training.run.model.read_bytes()
    refused = server.run("deploy", "runs/small/001", folder=training.folder)
    measured = server.run("evaluate", "runs/small/001", folder=training.folder)
    assert process.is_running
    process.kill()
    process.wait()
    assert refused.code == 2
    assert f"in use by process {process.pid} on {socket.gethostname()}." in refused.err
    assert measured.code == 0, measured.err
    assert training.run.model.read_bytes() == before

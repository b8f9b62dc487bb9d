"""A process that is killed before any call that changes what is on the disk has lost nothing that was there."""

from __future__ import annotations

import pytest

from trainkit.runs.checkpoints import Checkpoints

from .calls import committed, ends, read_calls
from .comparison import differences

pytestmark = pytest.mark.slow

PARTS = 8


def survive(training, whole, calls, call, **fault):
    """Kill a training at a call, look what is left, go on."""
    ended = training.fit(fault={"kill": call.number, **fault})
    assert ended.code == -9, ended.err
    newest, faults = Checkpoints(training.run.checkpoints).newest()
    assert (newest if newest is not None else -1) >= committed(calls, call.number), call
    assert faults == []
    ended = training.fit()
    assert ended.code == 0, ended.err
    assert differences(training.run, whole.run) == [], call


@pytest.fixture(scope="module")
def calls(begin):
    """The calls of a training, which is interrupted at a call if one is given."""

    def find(**fault):
        training = begin("brief")
        training.fit(fault={"log": str(training.folder / "calls"), **fault})
        return read_calls(training.folder / "calls")

    return find


@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_before_any_call_loses_nothing(part, calls, whole, begin):
    made = calls()
    chosen = ends(made)[part::PARTS]
    assert len(chosen) > 5
    for call in chosen:
        survive(begin("brief"), whole("brief"), made, call)


@pytest.mark.parametrize("part", range(2))
def test_a_kill_while_a_checkpoint_replaces_another_loses_nothing(part, calls, whole, begin):
    first = next(call.number for call in calls() if call.target.endswith("history.csv"))
    made = calls(interrupt=first)  # the checkpoint of the epoch, and that of the signal at the same step
    aside = next(call.number for call in made if call.operation == "rename" and call.target.endswith("/step_000000003"))
    chosen = [call for call in made if call.number >= aside - 2][part::2]
    assert len(chosen) > 5
    for call in chosen:
        survive(begin("brief"), whole("brief"), made, call, interrupt=first)

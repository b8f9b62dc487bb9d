"""A training that is made longer is the one that was longer from the beginning."""

from __future__ import annotations

import pytest

from .comparison import differences

pytestmark = pytest.mark.slow


def test_three_epochs_and_five_more_are_eight(begin, whole):
    training = begin("constant")
    training.overrides = ("training.epochs=3",)
    assert training.fit().code == 0
    training.overrides = ("training.epochs=8",)
    ended = training.fit()
    assert ended.code == 0, ended.err
    assert [told for told in differences(training.run, whole("constant").run) if "train.log" not in told] == []

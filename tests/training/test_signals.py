"""A signal is answered when the batch ends, a second one at once."""

from __future__ import annotations

import signal
import threading

import pytest

from trainkit.training.signals import Signals


def train(signals, *steps):
    """A training that does some steps; returns those that were done when it was stopped."""
    done = []
    with pytest.raises(KeyboardInterrupt):
        run(signals, steps, done)
    return done


def run(signals, steps, done):
    with signals.listening():
        for step in steps:
            step()
            done.append(step)


def interrupt():
    signal.raise_signal(signal.SIGINT)


def test_signal_is_answered_at_the_end_of_the_batch():
    signals = Signals()
    assert train(signals, interrupt, signals.answer, interrupt) == [interrupt]


def test_signal_without_another_batch_is_answered_at_the_end():
    assert train(Signals(), interrupt) == [interrupt]


def test_second_signal_is_answered_at_once():
    assert train(Signals(), interrupt, interrupt, interrupt) == [interrupt]


def test_handlers_are_those_of_before_afterwards():
    calls = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    try:
        signals = Signals()
        with signals.listening():
            signal.raise_signal(signal.SIGTERM)
            assert calls == []
            signals.answer()
            assert calls == [signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)
        assert calls == [signal.SIGTERM] * 2
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_leave_signals_alone():
    found = []

    def work():
        with Signals().listening():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]


def test_second_signal_whose_exception_is_lost_is_answered_at_the_end_of_the_batch():
    signals, lost = Signals(), []

    def lose():
        try:
            interrupt()
        except KeyboardInterrupt as error:  # as in a destructor
            lost.append(error)

    assert train(signals, interrupt, lose, signals.answer, interrupt) == [interrupt, lose]
    assert len(lost) == 1


def test_signals_that_are_ignored_stay_so():
    """A shell lets programs in the background ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signals = Signals()
    with signals.listening():
        interrupt()
        assert not signals.asked
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN

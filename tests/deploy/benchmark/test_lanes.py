"""The order in which files are timed, and what becomes of those that fail; without a real process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainkit.deploy.benchmark.candidates import Candidate
from trainkit.deploy.benchmark.given import Given
from trainkit.deploy.benchmark.lanes import FEWEST_ROUNDS, Lane, measure_in_turns
from trainkit.errors import PredictionError


class Script:
    """Stands in for a process: writes down what it is asked, and fails where it is told to."""

    def __init__(self, name, log, *, ns=1_000, shape=(None, 3), fails=(), dies=()):
        self.name, self.log, self.ns, self.shape = name, log, ns, list(shape)
        self.fails, self.dies, self.is_alive, self.given = set(fails), set(dies), True, None

    def ask(self, do, *, timeout, **arguments):
        step = (do, arguments["batch"]) if "batch" in arguments else do
        self.log.append((self.name, step))
        if step in self.dies:
            self.is_alive = False
        if step in self.dies or step in self.fails:
            raise PredictionError(f"{self.name} cannot be timed: {step}.")
        inputs = {"x": {"shape": self.shape, "dtype": "float32", "scale": None, "zero_point": None}}
        return {
            "start": {"runtime": "Abacus"},
            "open": {"load_us": 5.0, "inputs": inputs},
            "warm": {"first_us": 7.0, "peak_bytes": 100, "peak_is_reset": True},
            "measure": {"ns": [self.ns] * 2},
            "facts": {"weights": {"float32": 8}},
        }[do]

    def give(self, inputs, *, raw, timeout):
        self.given = {name: array.shape for name, array in inputs.items()}

    def close(self):
        self.is_alive = False


@pytest.fixture
def log():
    return []


@pytest.fixture
def lane(log):
    def make(name, **options):
        made = Lane(Candidate(Path(name), name), 1, Script(name, log, **options), timeout=1.0)
        made.wait()
        made.start([1, 4], give, warm_seconds=0.01)
        return made

    return make


def give(candidate, inputs, count):
    return Given({"x": np.zeros((2, 3), np.float32)}, "zeros")


def measured(log):
    return [(name, step[1]) for name, step in log if step[0] == "measure"]


def turns(lanes, *, rounds=4, seconds=1.0):
    return measure_in_turns(lanes, [1, 4], rounds=rounds, seconds=seconds, reference=lambda seconds: [1_000])


def test_files_take_turns_and_every_other_round_is_backwards(lane, log):
    turns([lane("a"), lane("b")], rounds=3)
    forwards = [("a", 1), ("b", 1), ("a", 4), ("b", 4)]
    assert measured(log) == [*forwards, *reversed(forwards), *forwards]


def test_each_round_is_kept_apart_with_its_reference(lane):
    only = lane("a", ns=2_000)
    reference = turns([only], rounds=5)
    assert reference == [[1_000]] * 5
    assert only.rounds == {1: [[2_000] * 2] * 5, 4: [[2_000] * 2] * 5}
    assert [(timing.batch, timing.p50_us, timing.runs) for timing in only.timings] == [(1, 2.0, 10), (4, 2.0, 10)]


def test_a_file_with_long_runs_ends_when_its_time_is_up(lane):
    quick, slow = lane("quick"), lane("slow", ns=10**9)
    turns([quick, slow], rounds=6, seconds=1.0)
    assert len(quick.rounds[1]) == 6
    assert len(slow.rounds[1]) == FEWEST_ROUNDS


def test_a_file_that_dies_is_told_and_the_others_go_on(lane, log):
    good, bad = lane("good"), lane("bad", dies=[("measure", 4)])
    turns([good, bad], rounds=3)
    assert (good.error, bad.error) == ("", "bad cannot be timed: ('measure', 4).")
    assert [len(rounds) for rounds in good.rounds.values()] == [3, 3]
    assert measured(log).count(("bad", 4)) == 1
    assert [timing.batch for timing in bad.timings] == [1]


@pytest.mark.parametrize("step", ["start", "open", ("warm", 1), "facts"])
def test_a_file_that_fails_before_it_is_timed_takes_no_turn(step, lane, log):
    good, bad = lane("good"), lane("bad", dies=[step])
    turns([good, bad], rounds=1)
    assert bad.error
    assert measured(log) == [("good", 1), ("good", 4)]


def test_a_batch_that_a_file_refuses_is_told_and_the_other_is_timed(lane):
    one = lane("a", fails=[("warm", 4)])
    turns([one])
    assert (one.error, list(one.rounds)) == ("", [1])
    assert one.notes == ["batch 4: a cannot be timed: ('warm', 4)."]


def test_a_file_for_one_size_of_batch_is_timed_at_that(lane, log):
    one = lane("a", shape=(8, 3))
    measure_in_turns([one], [8], rounds=1, seconds=1.0, reference=lambda seconds: [1])
    assert measured(log) == [("a", 8)]
    assert one.notes == ["the file takes 8 samples at once, no more and no fewer"]


def test_few_samples_are_repeated_to_a_batch(lane):
    assert lane("a")._process.given == {"x": (4, 3)}


def test_start_tells_load_first_run_and_memory_by_batch(lane):
    start = lane("a").result_of_start
    assert (start.threads, start.load_us, start.first_us, start.peak_bytes) == (1, 5.0, 7.0, {"1": 100, "4": 100})


def test_a_profiler_that_fails_is_a_note_and_no_error_of_the_file(lane):
    one = Lane(Candidate(Path("a"), "a"), 1, Script("a", [], fails=["profile"]), timeout=1.0)
    assert one.profile(give, seconds=0.1) == {"operations": [], "runs": 0, "note": "there is none: profile."}

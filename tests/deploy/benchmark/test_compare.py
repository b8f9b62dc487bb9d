"""Against an earlier result: the rule, what is refused, and what is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainkit.deploy.benchmark.compare import check_comparable, check_speed, compare
from trainkit.deploy.benchmark.result import read_earlier
from trainkit.errors import InputError, PromiseError

OLD = Path("old.json")


@pytest.fixture
def earlier(tmp_path):
    """A result that was written down and read again."""

    def write(result):
        (tmp_path / "old.json").write_text(json.dumps(result.to_json()))
        return read_earlier(tmp_path / "old.json")

    return write


@pytest.fixture
def change(earlier, result, timing):
    """What became of one timing."""

    def make(old, new, *, reference=100.0):
        before = earlier(result({"a.tflite": [timing(**old)]}))
        ((found,), _) = compare(before, result({"a.tflite": [timing(**new)]}, reference=reference), OLD)
        return found

    return make


@pytest.mark.parametrize(
    ("old", "new", "limit"),
    [
        ({"p50": 100.0}, {"p50": 104.0}, 105.0),
        ({"p50": 100.0, "noise": 0.01}, {"p50": 104.0, "noise": 0.01}, 105.0),
        ({"p50": 100.0, "noise": 0.10}, {"p50": 129.0, "noise": 0.05}, 130.0),
        ({"p50": 100.0}, {"p50": 50.0}, 105.0),
    ],
    ids=["least", "little-noise", "noise-of-both", "faster"],
)
def test_within_the_noise_is_no_regression(old, new, limit, change):
    found = change(old, new)
    assert found.limit_us == pytest.approx(limit)
    assert not found.is_slower
    check_speed([found], OLD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"p50": 100.0}, {"p50": 106.0}),
        ({"p50": 100.0, "noise": 0.10}, {"p50": 131.0, "noise": 0.05}),
    ],
    ids=["least", "noise-of-both"],
)
def test_beyond_the_noise_fails_with_code_3(old, new, change):
    found = change(old, new)
    with pytest.raises(
        PromiseError, match=r"1 of 1 timings are slower than in old\.json:\n  a\.tflite, batch 1"
    ) as told:
        check_speed([found], OLD)
    assert told.value.exit_code == 3


def test_message_names_file_times_noise_and_limit(change):
    found = change({"p50": 100.0, "noise": 0.02}, {"p50": 150.0, "noise": 0.08})
    expected = "a.tflite, batch 1, 1 thread: 150.0 µs, was 100.0 µs; noise 2.0% then, 8.0% now; limit 120.0 µs"
    assert str(found) == expected


def test_a_machine_that_is_slower_today_is_no_regression(change):
    found = change({"p50": 100.0}, {"p50": 150.0}, reference=150.0)
    assert not found.is_slower
    assert found.limit_us == pytest.approx(100 * 1.5 * 1.05)
    assert "the machine 1.50× slower" in str(found)


def test_a_machine_that_is_faster_today_asks_for_no_more(change):
    assert change({"p50": 100.0}, {"p50": 100.0}, reference=50.0).limit_us == pytest.approx(105.0)


def test_only_what_both_have_is_compared(earlier, result, timing):
    before = earlier(result({"a": [timing(9.0), timing(9.0, threads=4)], "gone": [timing(1.0)]}))
    now = result({"a": [timing(9.0), timing(9.0, batch=32)], "new": [timing(1.0)]}, versions={"python": "3.12.0"})
    changes, notes = compare(before, now, OLD)
    assert [(change.file, change.new.threads, change.new.batch) for change in changes] == [("a", 1, 1)]
    assert notes == [
        "python was 3.11.9 then, and is 3.12.0 now: what changed may be that",
        "gone was timed then, and is not now",
        "new is timed now, and was not then",
    ]


def test_other_inputs_are_told(earlier, result, timing):
    before = earlier(result({"a": [timing(9.0)]}, inputs="random values"))
    _, notes = compare(before, result({"a": [timing(9.0)]}), OLD)
    assert notes == ["a had other inputs then: random values"]


def test_nothing_in_common_is_an_error(earlier, result, timing):
    with pytest.raises(InputError, match=r"must have a file, .* of these\. Received: \['a'\]"):
        compare(earlier(result({"a": [timing(9.0)]})), result({"b": [timing(9.0)]}), OLD)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("cpu", "Abacus 4", "processor 'Abacus 3' there, 'Abacus 4' here"),
        ("cores", 8, "number of cores 2 there, 8 here"),
        ("system", "Linux aarch64", "system 'Linux x86_64' there, 'Linux aarch64' here"),
    ],
    ids=["cpu", "cores", "system"],
)
def test_another_machine_is_refused(key, value, told, earlier, result, timing):
    before = earlier(result({"a": [timing(9.0)]}))
    check_comparable(before, dict(before.machine), OLD)
    with pytest.raises(InputError, match=told) as refused:
        check_comparable(before, {**before.machine, key: value}, OLD)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "No such file or directory"),
        ("not JSON", "Expecting value"),
        ('{"version": 2}', "its version is 2"),
        ('{"version": 1}', "'files'"),
        ("[]", "list indices"),
    ],
    ids=["missing", "text", "version", "other", "list"],
)
def test_a_file_that_is_no_result_is_refused(text, told, tmp_path):
    if text is not None:
        (tmp_path / "old.json").write_text(text)
    with pytest.raises(InputError, match=rf"`against` must be .* wrote, version 1\. Received: .*{told}"):
        read_earlier(tmp_path / "old.json")

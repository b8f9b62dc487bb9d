"""Tests of `trainkit.data.bad`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from trainkit.config import Skip
from trainkit.data.bad import leave_out
from trainkit.errors import DataError


def reasons(rows):
    return {row: f"images.gz, image {row}: is odd." for row in rows}


def test_nothing_bad_is_nothing_left_out(make_split):
    split = make_split([0, 1])
    assert leave_out(split, {}, "fail", role="train") == (split, [])


def test_bad_samples_are_refused_with_their_reasons(make_split):
    told = (
        "2 of 3 test samples cannot be used. Mend or remove them, or leave them out with `bad_data: skip`.\n"
        "    images.gz, image 0: is odd.\n"
        "    images.gz, image 2: is odd."
    )
    with pytest.raises(DataError, match=f"^{re.escape(told)}$"):
        leave_out(make_split([0, 1, 0]), reasons([2, 0]), "fail", role="test")


@pytest.mark.parametrize("policy", ["skip", Skip(skip=2)], ids=["skip", "as many"])
def test_bad_samples_are_left_out_and_told(make_split, policy):
    left, told = leave_out(make_split(np.arange(200) % 2), reasons([7, 5]), policy, role="train")
    assert left.size == 198
    assert [left.original(index) for index in (4, 5, 6)] == [f"images.gz, image {row}" for row in (4, 6, 8)]
    assert told == [
        "2 of 200 train samples cannot be used and were left out:\n"
        "    images.gz, image 5: is odd.\n"
        "    images.gz, image 7: is odd."
    ]


@pytest.mark.parametrize(
    "size, bad, policy, allowed",
    [
        (99, 1, "skip", True),
        (99, 2, "skip", False),
        (300, 3, "skip", True),
        (399, 4, "skip", False),
        (99, 50, Skip(skip=50), True),
        (9900, 51, Skip(skip=50), False),
    ],
    ids=["one is allowed", "two are 2 %", "1 %", "more than 1 %", "as many", "one more"],
)
def test_no_more_is_left_out_than_allowed(make_split, size, bad, policy, allowed):
    split = make_split(np.arange(size) % 2)
    if allowed:
        assert leave_out(split, reasons(range(bad)), policy, role="train")[0].size == size - bad
    else:
        with pytest.raises(DataError, match="samples cannot be used; `bad_data` allows"):
            leave_out(split, reasons(range(bad)), policy, role="train")


def test_too_many_bad_samples_come_with_the_number_to_write(make_split):
    told = "12 of 1,200 train samples cannot be used; `bad_data` allows 5. Mend or remove them, or allow more: "
    told += "`bad_data: {skip: 12}`.\n    images.gz, image 0: is odd."
    with pytest.raises(DataError, match=f"^{re.escape(told)}") as caught:
        leave_out(make_split(np.arange(1200) % 2), reasons(range(12)), Skip(skip=5), role="train")
    assert str(caught.value).splitlines()[-2:] == ["    images.gz, image 9: is odd.", "    …"]


@pytest.mark.parametrize("count", [10, 11])
def test_ten_reasons_are_shown(make_split, count):
    with pytest.raises(DataError, match="cannot be used") as caught:
        leave_out(make_split([0] * 20), reasons(range(count)), "fail", role="train")
    lines = str(caught.value).splitlines()
    assert len(lines) == 1 + count
    assert (lines[-1] == "    …") is (count > 10)


def test_split_of_bad_samples_only_is_refused(make_split):
    with pytest.raises(DataError, match="must hold at least one sample"):
        leave_out(make_split([0]), reasons([0]), "skip", role="train")

"""Which groups of channels go."""

from __future__ import annotations

import pytest

from trainkit.deploy.compress.filters.channels import Group
from trainkit.deploy.compress.filters.choice import candidates, enough, with_shares
from trainkit.deploy.compress.filters.scores import normalized

WIDE = [Group(root, {"wide": (root,)}) for root in range(4)]
TIED = [Group(root, {"left": (root - 4,), "right": (root - 4,)}) for root in range(4, 7)]
SCORES = {0: 3.0, 1: 1.0, 2: 2.0, 3: 4.0, 4: 0.5, 5: 2.5, 6: 0.1}
FREE = {"wide": None, "left": None, "right": None}


def test_candidates_come_with_the_weakest_first_and_leave_one_of_each_family():
    assert candidates([*WIDE, *TIED], SCORES, FREE) == [6, 4, 1, 2, 0]


def test_candidates_are_not_those_of_layers_with_shares():
    assert candidates([*WIDE, *TIED], SCORES, FREE | {"right": 0.0}) == [1, 2, 0]


def test_candidates_have_scores():
    assert candidates(WIDE, {0: 3.0, 2: 2.0}, FREE) == [2, 0]


@pytest.mark.parametrize(("share", "expected"), [(0.5, [1, 2]), (0.25, [1]), (0.99, [1, 2, 0]), (0.0, [])])
def test_shares_are_those_of_the_filters_at_first(share, expected):
    assert with_shares(WIDE, SCORES, {"wide": share}, progress=1.0, sizes={("wide",): 4}) == expected


def test_shares_count_what_went_in_earlier_rounds():
    assert with_shares(WIDE[1:], SCORES, {"wide": 0.5}, progress=1.0, sizes={("wide",): 4}) == [1]
    assert with_shares(WIDE[1:], SCORES, {"wide": 0.5}, progress=0.5, sizes={("wide",): 4}) == []


def test_the_least_share_of_tied_layers_holds():
    shares = {"left": 0.7, "right": 0.34}
    assert with_shares(TIED, SCORES, shares, progress=1.0, sizes={("left", "right"): 3}) == [6]


def test_enough_is_the_least_number():
    assert [enough(10, lambda count: count / 10, wanted) for wanted in (0.0, 0.05, 0.3, 0.31, 2.0)] == [0, 1, 3, 4, 10]


def test_scores_of_a_family_have_the_length_one():
    found = normalized({0: 3.0, 1: 4.0, 4: 0.0, 5: 0.0}, [*WIDE, *TIED])
    assert found == {0: pytest.approx(0.6), 1: pytest.approx(0.8), 4: 0.0, 5: 0.0}

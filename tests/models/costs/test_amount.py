"""Amounts that depend on open sizes."""

import pytest

from trainkit.models.costs import Amount, amount_of, total


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], Amount(1)),
        ([3, 4], Amount(12)),
        ([None, 4], Amount(per_step=4)),
        ([None, 4, None], Amount(per_pair=4)),
        ([None] * 4, Amount(beyond=1)),
    ],
)
def test_amount_of_sizes(sizes, expected):
    assert amount_of(sizes) == expected


def test_amounts_are_multiplied_as_sums_are():
    assert Amount(2, 3) * Amount(5, 7) == Amount(10, 2 * 7 + 3 * 5, 21)  # (2 + 3n)(5 + 7n)


def test_amounts_are_added_term_by_term():
    assert total([Amount(1, 2), Amount(per_pair=4), Amount(5)]) == Amount(6, 2, 4)


def test_amounts_are_ordered_as_they_are_where_sizes_are_large():
    assert Amount(10**9) < Amount(1, 1) < Amount(2, 1) < Amount(per_pair=1)


def test_amounts_know_whether_they_are_open():
    assert [Amount(5).is_open, Amount(0, 1).is_open, bool(Amount()), bool(Amount(0, 1))] == [False, True, False, True]

"""Intervals of accuracies."""

from __future__ import annotations

import pytest

from trainkit.deploy.page.interval import wilson


@pytest.mark.parametrize(
    ("right", "samples", "expected"),
    [
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilson_is_that_of_the_literature(right, samples, expected):
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    assert [round(end, 4) for end in wilson(right / samples, samples)] == list(expected)


def test_nothing_is_known_without_samples():
    assert wilson(0.0, 0) == (0.0, 1.0)

"""Which groups of channels go: those with the lowest scores, until enough is gone, and no layer loses all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

from trainkit.deploy.compress.filters.channels import Group
from trainkit.deploy.compress.filters.scores import Scores

Makers = tuple[str, ...]
"""The layers that make a group: such groups are a family."""


def families_of(groups: Sequence[Group]) -> dict[Makers, list[Group]]:
    """Groups by the layers that make them."""
    families: dict[Makers, list[Group]] = {}
    for group in groups:
        families.setdefault(group.makers, []).append(group)
    return families


def share_of(makers: Makers, shares: Mapping[str, float | None]) -> float | None:
    """The share of a family that goes, where it has one of its own: the least of those of its layers."""
    return min((share for maker in makers if (share := shares.get(maker)) is not None), default=None)


def with_shares(
    groups: Sequence[Group],
    scores: Scores,
    shares: Mapping[str, float | None],
    *,
    progress: float,
    sizes: Mapping[Makers, int],
) -> list[int]:
    """The groups that go by shares that layers have of their own.

    Args:
        groups: All that are left.
        scores: Of them.
        shares: Of the filters of each layer; None where it has none of its own.
        progress: The part of the shares that is due, up to 1.
        sizes: How many groups each family had at first.
    """
    gone: list[int] = []
    for makers, family in families_of(groups).items():
        if share := share_of(makers, shares):
            due = min(round(share * progress * sizes[makers]), sizes[makers] - 1)
            gone += _weakest(family, scores)[: max(0, due - (sizes[makers] - len(family)))]
    return gone


def candidates(groups: Sequence[Group], scores: Scores, shares: Mapping[str, float | None]) -> list[int]:
    """The groups that may go besides, the weakest first; one of each family stays."""
    families = families_of(groups)
    left = [
        root
        for makers, family in families.items()
        if share_of(makers, shares) is None
        for root in _weakest(family, scores)[: len(family) - 1]
    ]
    return sorted(left, key=lambda root: (scores[root], root))


def enough(count: int, gone: Callable[[int], float], wanted: float) -> int:
    """The least number of candidates that is enough, found by bisection; all of them where none is.

    Args:
        count: Of the candidates.
        gone: From a number of them to the share that is gone without those.
        wanted: The share that has to go.

    Example:
        >>> enough(100, lambda count: count / 200, 0.25)
        50
    """
    return min(bisect_left(range(count + 1), wanted - ROUNDING, key=gone), count)


ROUNDING = 1e-9
"""A share that is short by this much is reached."""


def _weakest(family: Sequence[Group], scores: Scores) -> list[int]:
    """Those that have a score, the lowest first."""
    scored = [group.root for group in family if group.root in scores]
    return sorted(scored, key=lambda root: (scores[root], root))

"""Which blocks cannot be drawn as one, because a way leads out of them and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence


def blocks_in_cycles(groups: Sequence[Sequence[int]], edges: Iterable[tuple[int, int]]) -> set[int]:
    """The groups of more than one call that lie on a cycle, or between two, when each group is one.

    Args:
        groups: Ids of calls.
        edges: Pairs of ids of calls; those of calls that are in no group do not count.

    Returns:
        Indices in `groups`.

    Example:
        >>> blocks_in_cycles([[1, 3], [2]], [(1, 2), (2, 3)])
        {0}
    """
    group_of = {call: index for index, group in enumerate(groups) for call in group}
    pairs = {(group_of[maker], group_of[taker]) for maker, taker in edges if maker in group_of and taker in group_of}
    pairs = {(maker, taker) for maker, taker in pairs if maker != taker}
    left = set(range(len(groups)))
    for ways in (pairs, {(taker, maker) for maker, taker in pairs}):
        left -= _free(left, ways)
    return {index for index in left if len(groups[index]) > 1}


def _free(groups: set[int], ways: Iterable[tuple[int, int]]) -> set[int]:
    """The groups that no cycle leads to."""
    waiting: dict[int, int] = dict.fromkeys(groups, 0)
    after = defaultdict(list)
    for maker, taker in ways:
        if maker in groups and taker in groups:
            waiting[taker] += 1
            after[maker].append(taker)
    ready = [group for group, count in waiting.items() if count == 0]
    for group in ready:
        for taker in after[group]:
            waiting[taker] -= 1
            if waiting[taker] == 0:
                ready.append(taker)
    return set(ready)

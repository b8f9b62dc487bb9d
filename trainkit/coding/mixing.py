"""Decisions foretold by several contexts at once, whose estimates are mixed in the logistic domain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from operator import mul

import numpy as np

from trainkit.coding.arithmetic import PRECISION, Coder

_FINE = 8
"""Bits behind the point of a logit: ln(p / (1 - p)) in steps of 1/256."""
_MOST = 11 << _FINE
"""The largest logit: 1 in 60,000."""
_ROOT = 1_157_433_911_791_679_357
"""exp(1/256) in steps of 2**-60."""
_ONE = 1 << PRECISION
_WIDE = 22
"""Bits of an estimate, of which `PRECISION` are used: a step of it may be smaller than what is used."""
_WEIGHT = 16
"""Bits behind the point of a mixer's weight."""


@cache
def tables() -> tuple[list[int], list[int]]:
    """`squash`, from a logit plus `_MOST` to a probability, and `stretch`, its inverse; made of integers alone."""
    powers = [1 << 60]
    for _ in range(_MOST):
        powers.append(powers[-1] * _ROOT >> 60)
    above = [(power << PRECISION) // (power + (1 << 60)) for power in powers]
    squash = [_ONE - probability for probability in reversed(above[1:])] + above
    stretch = np.searchsorted(np.array(squash), np.arange(_ONE)) - _MOST
    return squash, np.clip(stretch, -_MOST, _MOST).tolist()


class Mixer:
    """Foretells decisions of one kind.

    A context is the number of a slot; a slot learns how often the decision was 1 where its context was met. What is
    seen for the first time is taken for what the first context says, which should be the most common one.

    Args:
        coder: Where decisions go to, or come from.
        slots: How many there are.
        inputs: Contexts of each decision.
        sets: Sets of weights; a decision chooses one.
        weight: With which each context starts.
        rate: How fast the weights learn.
        limit: Decisions after which a slot forgets as fast as it learns.
    """

    def __init__(
        self,
        coder: Coder,
        slots: int,
        inputs: int,
        *,
        sets: int = 1,
        weight: float = 0.35,
        rate: int = 6,
        limit: int = 255,
    ) -> None:
        self._code = coder.code
        self._estimates = [1 << _WIDE - 1] * slots
        self._seen = [0] * slots
        self._weights = [[round(weight * (1 << _WEIGHT))] * inputs for _ in range(sets)]
        self._rate, self._limit = rate, limit
        self._shares = [(1 << 16) * 2 // (2 * seen + 3) for seen in range(limit + 1)]
        self._squash, self._stretch = tables()

    def code(self, bit: int, contexts: Sequence[int], chosen: int = 0) -> int:
        """Code a decision and learn from it.

        Args:
            bit: 0 or 1; a decoder, which is to find it out, takes any.
            contexts: The slots.
            chosen: The set of weights.

        Returns:
            The bit.
        """
        estimates, seen, stretch = self._estimates, self._seen, self._stretch
        usual = estimates[contexts[0]]
        for slot in contexts:
            if not seen[slot]:
                estimates[slot] = usual
        logits = [stretch[estimates[slot] >> 6] for slot in contexts]
        weights = self._weights[chosen]
        logit = sum(map(mul, weights, logits)) >> _WEIGHT
        logit = -_MOST if logit < -_MOST else _MOST if logit > _MOST else logit
        probability = self._squash[logit + _MOST]
        probability = 1 if probability < 1 else probability
        bit = self._code(bit, probability)
        step = ((bit << PRECISION) - probability) * self._rate
        self._weights[chosen] = [
            weight + (logit * step + 0x8000 >> 16) for weight, logit in zip(weights, logits, strict=True)
        ]
        target, shares, limit = bit << _WIDE, self._shares, self._limit
        for slot in contexts:
            estimates[slot] += (target - estimates[slot]) * shares[count := seen[slot]] >> 16
            if count < limit:
                seen[slot] = count + 1
        return bit

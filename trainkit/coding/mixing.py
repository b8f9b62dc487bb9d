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
_TOGETHER = 5 << _WEIGHT - 2
"""The sum of the weights that a mixer begins with: 1.25."""
_RATE = 1
"""Bits by which an error is shifted before the weights learn from it."""
_MOST_MET = 255
"""Decisions after which a slot forgets as fast as it learns."""
_SHARES = [(2 << 16) // (2 * met + 7) for met in range(_MOST_MET + 1)]
"""How much of a decision a slot takes on, by how often it was met."""


@cache
def tables() -> tuple[list[int], list[int]]:
    """`squash`, from a logit plus `_MOST` to a probability, and `stretch`, its inverse; made of integers alone."""
    powers = [1 << 60]
    for _ in range(_MOST):
        powers.append(powers[-1] * _ROOT >> 60)
    above = [(power << PRECISION) // (power + (1 << 60)) for power in powers]
    squash = [_ONE - probability for probability in reversed(above[1:])] + above  # from 1 to _ONE - 1
    stretch = np.searchsorted(np.array(squash), np.arange(_ONE)) - _MOST
    return squash, np.clip(stretch, -_MOST, _MOST).tolist()


class Mixer:
    """Foretells decisions of one kind.

    A context is the number of a slot; a slot learns how often the decision was 1 where its context was met. What is
    met for the first time is taken for what the first context says, which should be the most common one.

    Args:
        coder: Where decisions go to, or come from.
        slots: How many there are.
        inputs: Contexts of each decision.
    """

    def __init__(self, coder: Coder, slots: int, inputs: int) -> None:
        self._code = coder.code
        self._estimates = [1 << _WIDE - 1] * slots
        self._met = [0] * slots
        self._weights = [_TOGETHER // inputs] * inputs
        self._squash, self._stretch = tables()

    def code(self, bit: int, contexts: Sequence[int]) -> int:
        """Code a decision and learn from it.

        Args:
            bit: 0 or 1; a decoder, which is to find it out, takes any.
            contexts: The slots.

        Returns:
            The bit.
        """
        estimates, met, stretch, weights = self._estimates, self._met, self._stretch, self._weights
        usual = estimates[contexts[0]]
        for slot in contexts:
            if not met[slot]:
                estimates[slot] = usual
        logits = [stretch[estimates[slot] >> _WIDE - PRECISION] for slot in contexts]
        logit = sum(map(mul, weights, logits)) >> _WEIGHT
        probability = self._squash[max(-_MOST, min(_MOST, logit)) + _MOST]
        bit = self._code(bit, probability)
        error = ((bit << PRECISION) - probability) << _RATE
        self._weights = [weight + (logit * error >> PRECISION) for weight, logit in zip(weights, logits, strict=True)]
        target = bit << _WIDE
        for slot in contexts:
            count = met[slot]
            estimates[slot] += (target - estimates[slot]) * _SHARES[count] >> 16
            if count < _MOST_MET:
                met[slot] = count + 1
        return bit

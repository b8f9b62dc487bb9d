"""Amounts that depend on sizes which a network leaves open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Amount:
    """A number, and what comes to it for each step of an axis of any length.

    A text of any length that goes through an LSTM costs so many multiplications a step; through attention, where each
    step looks at each, so many a pair of steps. Both, and what does not depend on the length, stand side by side.

    Args:
        fixed: What does not depend on open sizes.
        per_step: For each step of an axis of any length.
        per_pair: For each pair of steps: where two open sizes are multiplied, as those of an image of any size.
        beyond: For each combination of three steps and more.

    Example:
        >>> amount_of([28, 28]) + amount_of([None, 64]) * 4
        Amount(fixed=784, per_step=256, per_pair=0, beyond=0)
    """

    fixed: int = 0
    per_step: int = 0
    per_pair: int = 0
    beyond: int = 0

    @property
    def terms(self) -> tuple[int, int, int, int]:
        """All four, from the fixed one on."""
        return self.fixed, self.per_step, self.per_pair, self.beyond

    @property
    def is_open(self) -> bool:
        """Whether it depends on an open size."""
        return any(self.terms[1:])

    def __add__(self, other: Amount) -> Amount:
        return Amount(*(mine + its for mine, its in zip(self.terms, other.terms, strict=True)))

    def __mul__(self, other: Amount | int) -> Amount:
        if isinstance(other, int):
            return Amount(*(term * other for term in self.terms))
        products = [0, 0, 0, 0]
        for degree, mine in enumerate(self.terms):
            for more, its in enumerate(other.terms):
                products[min(degree + more, 3)] += mine * its
        return Amount(*products)

    def __bool__(self) -> bool:
        return any(self.terms)

    def __lt__(self, other: Amount) -> bool:
        """Whether it is less where open sizes are large."""
        return self.terms[::-1] < other.terms[::-1]


def amount_of(sizes: Iterable[int | None]) -> Amount:
    """The product of sizes, each a number or None for any length."""
    product = Amount(1)
    for size in sizes:
        product *= Amount(per_step=1) if size is None else size
    return product


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum of amounts.

    Example:
        >>> total([Amount(2), Amount(3, 4)])
        Amount(fixed=5, per_step=4, per_pair=0, beyond=0)
    """
    return sum(amounts, Amount())

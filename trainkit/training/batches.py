"""The batches of a training or of a validation: in which order, what becomes of each, and where one begins."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

from trainkit.data import Parts, Split
from trainkit.data.batching import hold, shuffled
from trainkit.data.splits import Change
from trainkit.framework import tf


class Batches:
    """The batches of a split, pass after pass, from any step on.

    Args:
        split: The samples.
        batch_size: Samples of a batch; the last one of a pass may be smaller.
        seed: Of the order; None for the order of the samples, pass after pass.
        first_epoch: Which pass is the first: orders and augmentations follow from its number.
        change: What becomes of each batch.
        augments: Whether that takes a while.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        *,
        seed: int | None,
        first_epoch: int = 0,
        change: Change | None = None,
        augments: bool = False,
    ) -> None:
        self.split, self.batch_size, self.change, self.augments = split, batch_size, change, augments
        self.steps_per_pass = math.ceil(split.size / batch_size)
        self._seed, self._first_epoch = seed, first_epoch

    def dataset(self, step: int, *, parts: Parts | None = None) -> Any:
        """All batches from a step on, as `Split.batches` has them; of the order of the samples, one pass."""
        if self._seed is None:
            return self.split.ordered(self.batch_size, change=self.change, parts=parts)
        epoch, first = self.place(step)
        return self.split.batches(
            self.batch_size, seed=self._seed, first_epoch=epoch, first_step=first, change=self.change, parts=parts
        )

    def place(self, step: int) -> tuple[int, int]:
        """In which epoch a step is, and the steps of it that come before."""
        epoch, first = divmod(step, self.steps_per_pass)
        return self._first_epoch + epoch, first

    @property
    def is_shuffled(self) -> bool:
        """Whether each epoch has an order of its own."""
        return self._seed is not None

    def order(self, epoch: int) -> Any:
        """The rows of an epoch in their order, an int64 tensor."""
        return self._rows if self._shuffled is None else self._shuffled(tf.constant(epoch, tf.int64))

    @cached_property
    def _rows(self) -> Any:
        return hold(self.split.rows)

    @cached_property
    def _shuffled(self) -> Any | None:
        seed = self._seed
        return None if seed is None else tf.function(lambda epoch: shuffled(self._rows, seed=seed, epoch=epoch))

    def origins(self, step: int) -> list[str]:
        """Where the samples of a step come from, to show to a person."""
        epoch, first = self.place(step)
        return self.split.origins_of_batch(self.batch_size, seed=self._seed or 0, epoch=epoch, step=first)

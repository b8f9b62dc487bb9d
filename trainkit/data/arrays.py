"""A split whose samples are arrays in memory."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trainkit.data.splits import Facts
from trainkit.errors import DataError, InputError

if TYPE_CHECKING:
    from trainkit.data.batching import TensorBatches


class ArraySplit:
    """Samples in memory; a subset holds indices into the arrays of the split it was taken from.

    Inputs keep their dtype (a uint8 image takes a quarter of its float32 self) and are cast batch by batch.

    Args:
        inputs: One input a row, shape `(size, …)`.
        targets: One class id a row, shape `(size,)`.
        facts: What a network needs to know of the data.
        origin: The file of the inputs, or a function from a sample's index to where it comes from.

    Raises:
        DataError: If there is no sample, or not one target for each.

    Example:
        >>> split = ArraySplit(np.zeros((3, 2, 2, 1), np.uint8), np.array([0, 1, 0]), Facts((2, 2, 1)), "images.gz")
        >>> split.subset(np.array([2, 1])).original(0)
        'images.gz, image 2'
    """

    def __init__(
        self, inputs: np.ndarray, targets: np.ndarray, facts: Facts, origin: str | Callable[[int], str]
    ) -> None:
        self.facts = facts
        self._origin = origin
        self._memory = _Memory(inputs, targets.astype(np.int32))
        self._indices: np.ndarray | None = None
        if len(inputs) != len(targets):
            raise DataError(
                f"`targets` must hold one row for each of `inputs`. Received: {len(inputs)} inputs and "
                f"{len(targets)} targets."
            )
        _require_samples(len(inputs))

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self._memory.targets if self._indices is None else self._indices)

    @property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """`input` and `target` as whole arrays; those of a subset are copied out at each call."""
        return {"input": self._take(self._memory.inputs), "target": self._take(self._memory.targets)}

    def original(self, index: int) -> str:
        """Where sample `index` comes from: `images.gz, image 17`, counted from 0."""
        row = int(self._positions[index])
        if callable(self._origin):
            return self._origin(row)
        return f"{self._origin}, {'row' if len(self.facts.input_shape) == 1 else 'image'} {row}"

    def batches(self, batch_size: int, *, seed: int, first_epoch: int = 0, first_step: int = 0) -> Any:
        """An endless dataset of shuffled batches; its order is a function of (`seed`, epoch) alone."""
        _require_batch_size(batch_size)
        return self._memory.tensors.shuffled(
            self._positions, batch_size, seed=seed, first_epoch=first_epoch, first_step=first_step
        )

    def ordered(self, batch_size: int) -> Any:
        """A dataset of one pass in the order of the samples."""
        _require_batch_size(batch_size)
        return self._memory.tensors.ordered(self._positions, batch_size)

    def subset(self, indices: np.ndarray) -> ArraySplit:
        """The samples at `indices`, in that order; the arrays are shared, not copied."""
        part = copy.copy(self)
        part._indices = self._positions[indices]
        _require_samples(part.size)
        return part

    def labels(self) -> np.ndarray:
        """The class id of every sample, shape `(size,)`."""
        return self._take(self._memory.targets)

    @property
    def _positions(self) -> np.ndarray:
        return np.arange(self.size) if self._indices is None else self._indices

    def _take(self, array: np.ndarray) -> np.ndarray:
        return array if self._indices is None else array[self._indices]


class _Memory:
    """What a split and all its subsets share."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        self.inputs = inputs
        self.targets = targets

    @cached_property
    def tensors(self) -> TensorBatches:
        """The arrays as tensors, made with the first batch: until then TensorFlow is not needed."""
        from trainkit.data.batching import TensorBatches

        return TensorBatches(self.inputs, self.targets)


def _require_samples(size: int) -> None:
    if size < 1:
        raise DataError("a split must hold at least one sample. Received: none.")


def _require_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise InputError(f"`batch_size` must be at least 1. Received: batch_size={batch_size!r}.")

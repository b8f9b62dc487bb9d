"""One part of a data set as a network takes it: its samples in batches."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.data.columns import Column
from trainkit.data.fields import Facts
from trainkit.data.sequence_column import SequenceColumn, join_batches
from trainkit.errors import DataError, InputError

Change = Callable[..., tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]
"""`change(inputs, targets, weights, *, epoch, rows)`: what training makes of a batch, inside a `tf.data` function."""


@dataclass(frozen=True)
class Parts:
    """Parts of each batch, for the replicas that take them.

    Args:
        wanted: Which parts, counted from 0.
        count: How many there are.
    """

    wanted: range
    count: int


class Split:
    """Samples for training, validation or test; a subset shares the columns of the split it was taken from.

    Elements of `batches` and `ordered` are `(inputs, targets, weights)`, three dictionaries: inputs by the names of the
    network's inputs, targets and weights by those of its outputs. `weights` is empty where samples weigh the same.

    Args:
        inputs: By name of the input.
        targets: By name of the output.
        weights: How much the loss of each output counts, or nothing.
        rows: The rows of the columns that are the samples, in their order; by default all.

    Raises:
        DataError: If there is no sample.

    Example:
        >>> from trainkit.data.columns import ArrayColumn
        >>> images = ArrayColumn(np.zeros((3, 2, 2, 1), np.uint8), origin="a.gz")
        >>> labels = ArrayColumn(np.array([0, 1, 0]))
        >>> Split({"input": images}, {"answer": labels}).subset(np.array([2, 1])).original(0)
        'a.gz, image 2'
    """

    def __init__(
        self,
        inputs: Mapping[str, Column],
        targets: Mapping[str, Column],
        weights: Mapping[str, Column] | None = None,
        *,
        rows: np.ndarray | None = None,
    ) -> None:
        self._inputs, self._targets, self._weights = inputs, targets, weights or {}
        self._rows = np.arange(len(next(iter(inputs.values())))) if rows is None else rows
        if self.size < 1:
            raise DataError("a split must hold at least one sample. Received: none.")

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self._rows)

    @property
    def facts(self) -> Facts:
        """What a network needs to know of the data."""
        return Facts(
            {name: column.field for name, column in self._inputs.items()},
            {name: column.field for name, column in self._targets.items()},
        )

    def original(self, index: int) -> str:
        """Where sample `index` comes from, to show to a person: a file, or a file and a row."""
        return next(iter(self._inputs.values())).original(int(self._rows[index]))

    def batches(
        self,
        batch_size: int,
        *,
        seed: int,
        first_epoch: int = 0,
        first_step: int = 0,
        change: Change | None = None,
        parts: Parts | None = None,
    ) -> Any:
        """An endless `tf.data.Dataset` of shuffled batches, epoch after epoch.

        The order of an epoch is a function of (`seed`, epoch) alone, so that going on at `first_step` of
        `first_epoch` gives the batches that an uninterrupted pass would have given. The last batch of an epoch may
        be smaller; an epoch has `ceil(size / batch_size)` batches.

        Args:
            batch_size: Samples a batch.
            seed: Of the order.
            first_epoch: Counted from 0.
            first_step: Batches of that epoch to leave out; they are not read.
            change: What becomes of each batch.
            parts: Which parts of each batch are wanted, one after the other, each with its share: the others are not
                read.
        """
        from trainkit.data.batching import shuffled_rows

        _require_batch_size(batch_size)
        rows = shuffled_rows(self._rows, batch_size, seed=seed, first_epoch=first_epoch, first_step=first_step)
        return self._load(rows, change, parts, is_heavy=change is not None)

    def ordered(self, batch_size: int, *, change: Change | None = None, parts: Parts | None = None) -> Any:
        """A `tf.data.Dataset` of one pass in the order of the samples; see `batches` for its arguments."""
        from trainkit.data.batching import ordered_rows

        _require_batch_size(batch_size)
        return self._load(ordered_rows(self._rows, batch_size), change, parts)

    def order(self, *, seed: int | None = None, epoch: int = 0) -> Any:
        """The rows of an epoch in the order of `batches`, an int64 tensor; without a seed in that of `ordered`."""
        from trainkit.data.batching import hold, shuffled

        rows = hold(self._rows)
        return rows if seed is None else shuffled(rows, seed=seed, epoch=epoch)

    @property
    def memory(self) -> int | None:
        """Bytes that `gather` takes its values from, where it reads nothing but memory."""
        sizes = [column.memory for columns in self._all for column in columns.values()]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def has_one_shape(self) -> bool:
        """Whether all batches of one size have the same shape, and no texts."""
        fields = [column.field for columns in self._all for column in columns.values()]
        return all(field.dtype != "string" and None not in field.shape for field in fields)

    def on(self, device: str) -> Split:
        """The same samples, what is in memory held in that of a device, as TensorFlow names it."""
        part = copy.copy(self)
        part._inputs, part._targets, part._weights = (
            {name: column.on(device) for name, column in columns.items()} for columns in self._all
        )
        return part

    def gather(self, rows: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The inputs, targets and weights at some rows of the columns, inside a TensorFlow function."""
        inputs, targets, weights = (
            {name: column.gather(rows) for name, column in columns.items()} for columns in self._all
        )
        return inputs, targets, weights

    def first(self, count: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The inputs, targets and weights of the first samples, as eager tensors, without a pipeline."""
        return self.gather(self._rows[:count])

    def subset(self, indices: np.ndarray) -> Split:
        """The samples at `indices`, in that order; nothing is copied."""
        if not len(indices):
            raise DataError("a split must hold at least one sample. Received: none.")
        part = copy.copy(self)
        part._rows = self._rows[indices]
        return part

    def first_rows(self, count: int, *, seed: int) -> Split:
        """The samples that the first epoch of `batches` begins with, in its order."""
        part = copy.copy(self)
        part._rows = self.order(seed=seed)[:count].numpy()
        return part

    def origins_of_batch(self, batch_size: int, *, seed: int, epoch: int, step: int) -> list[str]:
        """Where the samples of a batch of `batches` come from, to show to a person."""
        rows = self.order(seed=seed, epoch=epoch)[step * batch_size : (step + 1) * batch_size]
        column = next(iter(self._inputs.values()))
        return [column.original(int(row)) for row in rows.numpy()]

    @property
    def rows(self) -> np.ndarray:
        """The rows of the columns that are the samples."""
        return self._rows

    def weighted(self, weights: Mapping[str, Column]) -> Split:
        """The same samples, of which each counts as much as `weights` say."""
        part = copy.copy(self)
        part._weights = weights
        return part

    def labels(self, target: str) -> np.ndarray:
        """A target of every sample, shape `(size, …)`; without reading any input."""
        array = self.whole_labels(target)
        return array if len(array) == self.size and self._is_whole else array[self._rows]

    def whole_labels(self, target: str) -> np.ndarray:
        """A target of every row of its column, also of those that are not samples of this split."""
        array = self._targets[target].array
        if array is None:
            raise TypeError(f"the target {target!r} is not in memory")
        return array

    def first_missing(self, name: str) -> int | None:
        """The first sample that has a missing number (NaN) in an input, or None."""
        array = self._inputs[name].array
        if array is None or array.dtype.kind != "f":
            return None
        missing = np.isnan(array[self._rows]).reshape(self.size, -1).any(axis=1)
        return int(missing.argmax()) if missing.any() else None

    def lengths(self, name: str) -> np.ndarray | None:
        """How many steps each sample has in an input, shape `(size,)`; None where it holds no sequences."""
        column = self._inputs[name]
        return column.lengths[self._rows] if isinstance(column, SequenceColumn) else None

    def looks_padded(self, name: str) -> np.ndarray:
        """The samples with a step in an input whose features are all equal to its padding."""
        column = self._inputs[name]
        alike = isinstance(column, SequenceColumn) and column.looks_padded(self._rows)
        return np.flatnonzero(alike)

    @property
    def sample_bytes(self) -> int:
        """Memory that the inputs of a sample take as float32; of sequences, the longest."""
        sizes = []
        for name, column in self._inputs.items():
            lengths = self.lengths(name)
            steps = 1 if lengths is None else int(lengths.max())
            sizes.append(4 * steps * math.prod(length for length in column.field.shape if length is not None))
        return sum(sizes)

    def first_inputs(self, count: int, *, batch_size: int = 500) -> dict[str, np.ndarray]:
        """The inputs of the first samples, in memory; sequences are padded to the longest of them."""
        part = self.subset(np.arange(min(count, self.size)))
        batches = [inputs for inputs, _, _ in part.ordered(batch_size).as_numpy_iterator()]
        return {
            name: join_batches([batch[name] for batch in batches], column.field.padding)
            for name, column in self._inputs.items()
        }

    @property
    def weights(self) -> Mapping[str, Column]:
        """How much the loss of each output counts, or nothing."""
        return self._weights

    def digest(self) -> str:
        """By what the split is known again: a line for each of its columns."""
        columns = [*self._inputs.items(), *self._targets.items(), *self._weights.items()]
        return "\n".join(f"{name} {column.field!r} {column.digest(self._rows).hex()}" for name, column in columns)

    @property
    def _is_whole(self) -> bool:
        return bool((self._rows == np.arange(self.size)).all())

    def _load(self, rows: Any, change: Change | None, parts: Parts | None, *, is_heavy: bool = False) -> Any:
        """The batches of a dataset of `(epoch, rows)`."""
        from trainkit.data.batching import parts_of
        from trainkit.framework import tf

        def load(epoch: Any, rows: Any, *share: Any) -> Any:
            batch = self.gather(rows)
            batch = change(*batch, epoch=epoch, rows=rows) if change else batch
            return (batch, *share) if share else batch

        if parts is not None:
            rows = parts_of(rows, parts.wanted, parts.count)
        in_memory = all(column.array is not None for column in self._inputs.values())
        parallel = tf.data.AUTOTUNE if is_heavy or not in_memory else None
        return rows.map(load, num_parallel_calls=parallel).prefetch(tf.data.AUTOTUNE)

    @property
    def _all(self) -> tuple[Mapping[str, Column], Mapping[str, Column], Mapping[str, Column]]:
        return self._inputs, self._targets, self._weights


def _require_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise InputError(f"`batch_size` must be at least 1. Received: batch_size={batch_size!r}.")

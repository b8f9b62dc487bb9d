"""Sequences of different lengths: a column whose batches are padded to their longest sample."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from trainkit.data.columns import field_of
from trainkit.data.fields import Field
from trainkit.errors import shown

_ROWS = 2**12
"""Samples whose steps are hashed at once."""


class SequenceColumn:
    """Sequences in memory, of any length each: a `Column` whose batches have the shape `(batch, longest, …)`.

    What stands behind the last step of a shorter sequence is `field.padding`.

    Args:
        steps: The steps of all samples, one sample after the other, shape `(steps, …)`.
        lengths: How many of them each sample has, shape `(samples,)`; in sum, all.
        field: What is known of a sample; by default what the steps tell, padded with 0, texts with `""`.
        origin: The file of the samples, or a function from a row to where it comes from.
        known_bad: Rows that its reader could not make sense of, with the reason.

    Example:
        >>> column = SequenceColumn(np.array([5, 3, 8]), np.array([1, 2]), origin="ids.npz, x")
        >>> column.gather([0, 1]).numpy().tolist(), column.field.shape, column.original(1)
        ([[5.0, 0.0], [3.0, 8.0]], (None,), 'ids.npz, x, row 1')
    """

    array = None
    _device = "CPU:0"

    def __init__(
        self,
        steps: np.ndarray,
        lengths: np.ndarray,
        field: Field | None = None,
        *,
        origin: str | Callable[[int], str] = "the data",
        known_bad: Mapping[int, str] | None = None,
    ) -> None:
        self.steps = steps
        self.lengths = lengths.astype(np.int64)
        self.known_bad = known_bad or {}
        self.field = field or _field_of(steps)
        self._starts = np.concatenate([[0], np.cumsum(self.lengths)])
        self._origin = origin

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def memory(self) -> int:
        """Bytes of all steps."""
        return int(self.steps.nbytes)

    def on(self, device: str) -> SequenceColumn:
        """The same samples, held in the memory of a device; see `Column.on`."""
        if self.field.dtype == "string" or device == self._device:
            return self
        column = self.with_field()
        column._device = device
        return column

    def gather(self, rows: Any) -> Any:
        """The samples at some rows, padded to the longest of them; see `Column.gather`."""
        from trainkit.framework import tf

        ragged = tf.gather(tf.RaggedTensor.from_row_splits(*self._tensors, validate=False), rows)
        if self.field.dtype != "string":
            ragged = tf.cast(ragged, self.field.dtype)
        return ragged.to_tensor(tf.constant(self.field.padding, self.field.dtype))

    def padded(self, rows: np.ndarray) -> np.ndarray:
        """The samples at some rows as `gather` gives them, without TensorFlow; texts as they are held."""
        is_text = self.field.dtype == "string"
        lengths = self.lengths[rows]
        shape = (len(rows), int(lengths.max(initial=0)), *self.steps.shape[1:])
        values = np.full(shape, self.field.padding, self.steps.dtype if is_text else self.field.dtype)
        values[np.arange(shape[1]) < lengths[:, np.newaxis]] = self.steps[self._positions(rows)]
        return values

    def bad(self) -> Iterator[tuple[int, str]]:
        """Rows that its reader could not make sense of, those without a step, and those that are not finite."""
        found = dict(self.known_bad)
        for row in np.flatnonzero(self.lengths == 0).tolist():
            found.setdefault(row, "must have at least one step. Received: none.")
        if self.steps.dtype.kind == "f":
            wrong = ~np.isfinite(self.steps)
            for step in np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1)).tolist():
                row, value = self.row_of(step), self.steps[step][wrong[step]].flat[0]
                told = f"step {step - self._starts[row]} must be a finite number. Received: {float(value)!r}."
                found.setdefault(row, told)
        yield from found.items()

    def original(self, row: int) -> str:
        """Where a row comes from: `speech.npz, x, row 17`."""
        return self._origin(row) if callable(self._origin) else f"{self._origin}, row {row}"

    def digest(self, rows: np.ndarray) -> bytes:
        """A hash of dtype, shape, lengths and steps."""
        hashed = hashlib.sha256(f"{self.steps.dtype.str} {self.steps.shape[1:]!r} {len(rows)}\n".encode())
        hashed.update(self.lengths[rows].tobytes())
        for start in range(0, len(rows), _ROWS):
            hashed.update(np.ascontiguousarray(self.steps[self._positions(rows[start : start + _ROWS])]).tobytes())
        return hashed.digest()

    def with_field(self, **changes: Any) -> SequenceColumn:
        """The same samples, of which something else is known: the dtype of their batches, their padding."""
        return self._like(self.steps, replace(self.field, **changes), self.known_bad)

    def with_features(self) -> SequenceColumn:
        """The same samples, each step an array of one feature instead of a number."""
        field = replace(self.field, shape=(*self.field.shape, 1))
        return self._like(self.steps[:, np.newaxis], field, self.known_bad)

    def whole(self, dtype: str) -> SequenceColumn:
        """The same samples in batches of an integer type; a step that it cannot hold makes its row bad."""
        ends = np.iinfo(dtype)
        values = self.steps.astype(np.float64)
        wrong = (values != np.floor(values)) | (values < ends.min) | (values > ends.max)
        bad = dict(self.known_bad)
        for step in np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1)).tolist():
            told = f"must be whole numbers that fit {dtype}. Received: {shown(float(values[step][wrong[step]][0]))}."
            bad.setdefault(self.row_of(step), told)
        return self._like(self.steps, replace(self.field, dtype=dtype), bad)

    def row_of(self, step: int) -> int:
        """The sample that a step belongs to."""
        return int(np.searchsorted(self._starts, step, side="right")) - 1

    def looks_padded(self, rows: np.ndarray) -> np.ndarray:
        """Whether the sample at each of some rows has a step whose features are all equal to the padding."""
        alike = (self.steps == self.field.padding).reshape(len(self.steps), -1).all(axis=1)
        before = np.concatenate([[0], np.cumsum(alike)])
        return (before[self._starts[1:]] > before[self._starts[:-1]])[rows]

    def _like(self, steps: np.ndarray, field: Field, known_bad: Mapping[int, str]) -> SequenceColumn:
        return SequenceColumn(steps, self.lengths, field, origin=self._origin, known_bad=known_bad)

    def _positions(self, rows: np.ndarray) -> np.ndarray:
        """Where the steps of some rows stand, one row after the other."""
        lengths = self.lengths[rows]
        before = np.cumsum(lengths) - lengths
        return np.repeat(self._starts[rows] - before, lengths) + np.arange(lengths.sum())

    @cached_property
    def _tensors(self) -> tuple[Any, Any]:
        """Steps and starts as eager tensors, which functions capture instead of embedding a copy."""
        from trainkit.framework import tf

        with tf.init_scope(), tf.device(self._device):
            return tf.constant(self.steps), tf.constant(self._starts)


def join_batches(batches: list[np.ndarray], padding: float | str | None) -> np.ndarray:
    """Batches as one; those of sequences are padded to the longest.

    Args:
        batches: Shape `(samples, …)`.
        padding: What stands behind the last step of a sequence; None where batches have one shape.

    Returns:
        Shape `(all samples, …)`.

    Example:
        >>> join_batches([np.array([[5, 3]]), np.array([[8]])], 0).tolist()
        [[5, 3], [8, 0]]
    """
    if padding is None:
        return np.concatenate(batches)
    longest = max(batch.shape[1] for batch in batches)
    return np.concatenate([_lengthened(batch, longest, padding) for batch in batches])


def _lengthened(batch: np.ndarray, length: int, padding: float | str) -> np.ndarray:
    behind = np.full((len(batch), length - batch.shape[1], *batch.shape[2:]), padding, batch.dtype)
    return np.concatenate([batch, behind], axis=1)


def _field_of(steps: np.ndarray) -> Field:
    field = field_of(steps)
    return replace(field, shape=(None, *field.shape), padding="" if field.dtype == "string" else 0.0)

"""One value of every sample of a data set: a column."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from trainkit.data.fields import BYTES, Field


class Column(Protocol):
    """One value of every sample: an image, a number, a label.

    Rows are counted from 0. What a column holds is never changed.
    """

    @property
    def field(self) -> Field:
        """What is known of the value."""

    def __len__(self) -> int:
        """Number of rows."""

    @property
    def array(self) -> np.ndarray | None:
        """All rows, shape `(rows, …)`, where they are in memory."""

    @property
    def memory(self) -> int | None:
        """Bytes that `gather` takes its values from, where it reads nothing but memory."""

    def on(self, device: str) -> Column:
        """The same rows, held in the memory of a device, as TensorFlow names it; texts stay where they are."""

    def gather(self, rows: Any) -> Any:
        """The values at some rows, inside a `tf.data` function: shape `(batch, …)`, of the field's dtype."""

    def bad(self) -> Iterator[tuple[int, str]]:
        """Each row that cannot be used, with the reason: `must be a finite number. Received: nan.`"""

    def original(self, row: int) -> str:
        """Where a row comes from, to show to a person: a file, or a file and a row."""

    def digest(self, rows: np.ndarray) -> bytes:
        """A hash of the values at some rows, which is the same as long as they are."""


class ArrayColumn:
    """A column in memory.

    Values keep their stored dtype (a uint8 image takes a quarter of its float32 self) and are cast batch by batch.

    Args:
        array: One row a sample, shape `(rows, …)`; texts as an array of `str`.
        field: What is known of the value; by default what the array tells.
        origin: The file of the rows, or a function from a row to where it comes from.
        missing: Whether NaN stands for a missing number that the network takes care of; else it is bad.
        known_bad: Rows that its reader could not make sense of, with the reason.

    Example:
        >>> column = ArrayColumn(np.zeros((3, 2, 2, 1), np.uint8), origin="images.gz")
        >>> column.field.shape, column.original(2)
        ((2, 2, 1), 'images.gz, image 2')
    """

    _device = "CPU:0"
    """Where tf.data runs."""

    def __init__(
        self,
        array: np.ndarray,
        field: Field | None = None,
        *,
        origin: str | Callable[[int], str] = "the data",
        missing: bool = False,
        known_bad: Mapping[int, str] | None = None,
    ) -> None:
        self.array = array
        self.missing = missing
        self.known_bad = known_bad or {}
        self.field = field or field_of(array)
        self._origin = origin

    def __len__(self) -> int:
        return len(self.array)

    @property
    def memory(self) -> int:
        """Bytes of all rows."""
        return int(self.array.nbytes)

    def on(self, device: str) -> ArrayColumn:
        """The same rows, held in the memory of a device; see `Column.on`."""
        if self.field.dtype == "string" or device == self._device:
            return self
        column = self.with_field()
        column._device = device
        return column

    def gather(self, rows: Any) -> Any:
        """The values at some rows; see `Column.gather`."""
        from trainkit.framework import tf

        values = tf.reshape(tf.gather(self._tensor, rows), [tf.size(rows), *self.array.shape[1:]])
        return values if self.field.dtype == "string" else tf.cast(values, self.field.dtype)

    def bad(self) -> Iterator[tuple[int, str]]:
        """Rows that its reader could not make sense of, and those with a number that is not finite."""
        yield from self.known_bad.items()
        if self.array.dtype.kind != "f":
            return
        finite = (np.isfinite(self.array) | (np.isnan(self.array) & self.missing)).reshape(len(self), -1)
        for row in map(int, np.flatnonzero(~finite.all(axis=1))):
            if row not in self.known_bad:
                value = float(self.array[row].flat[int(finite[row].argmin())])
                yield row, f"must be a finite number. Received: {value!r}."

    def original(self, row: int) -> str:
        """Where a row comes from: `images.gz, image 17`."""
        if callable(self._origin):
            return self._origin(row)
        return f"{self._origin}, {'image' if self.field.is_image else 'row'} {row}"

    def digest(self, rows: np.ndarray) -> bytes:
        """A hash of dtype, shape and values."""
        values = self.array[rows]
        if values.dtype.kind in "OU":
            values = np.frombuffer("\0".join(map(str, values.ravel())).encode(), np.uint8)
        hashed = hashlib.sha256(f"{values.dtype.str} {values.shape!r}\n".encode())
        hashed.update(np.ascontiguousarray(values).data)
        return hashed.digest()

    def with_field(self, **changes: Any) -> ArrayColumn:
        """The same rows, of which something else is known: their classes, the dtype of their batches."""
        field = replace(self.field, **changes)
        return ArrayColumn(self.array, field, origin=self._origin, missing=self.missing, known_bad=self.known_bad)

    @cached_property
    def _tensor(self) -> Any:
        """An eager tensor of two axes, which functions capture instead of embedding a copy.

        XLA gathers flat rows in half the time of images on a CPU.
        """
        from trainkit.framework import tf

        with tf.init_scope(), tf.device(self._device):
            return tf.constant(self.array.reshape(len(self), math.prod(self.array.shape[1:])))


def field_of(array: np.ndarray) -> Field:
    """What an array tells of its values: texts are strings, numbers become float32, bytes have a range."""
    if array.dtype.kind in "OUS":
        return Field(array.shape[1:], "string")
    return Field(array.shape[1:], value_range=BYTES if array.dtype == np.uint8 else None)


def origin_of(columns: Sequence[Any]) -> Callable[[int], str]:
    """Where a row of columns that stand side by side comes from: the first of them whose value cannot be used."""

    def original(row: int) -> str:
        return next((column for column in columns if _is_bad(column, row)), columns[0]).original(row)

    return original


def _is_bad(column: Any, row: int) -> bool:
    values = column.array[row]
    return row in getattr(column, "known_bad", ()) or (values.dtype.kind == "f" and not np.isfinite(values).all())

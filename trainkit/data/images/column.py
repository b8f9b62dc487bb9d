"""Images of a data set in one size, kept in memory or read again for each batch."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.data.columns import ArrayColumn
from trainkit.data.fields import BYTES, Field
from trainkit.data.images.read import ImageError, read_image
from trainkit.data.images.spec import ImageSpec
from trainkit.data.images.workers import cores
from trainkit.errors import DataError


class ImageColumn:
    """Images that were read from files: a `Column` of float32 values from 0 to 255.

    Args:
        files: One for each row.
        spec: The size and channels that the images get.
        hashes: Of what each file held when it was read, shape `(rows, bytes)`.
        kept: The images, shape `(rows, *spec.shape)`, or None to read them for each batch.
        unreadable: Rows that could not be read, with the reason.
        origin: From a row to where it comes from.
    """

    def __init__(
        self,
        files: tuple[Path, ...],
        spec: ImageSpec,
        *,
        hashes: np.ndarray,
        kept: np.ndarray | None,
        unreadable: Mapping[int, str],
        origin: Callable[[int], str],
    ) -> None:
        self.files = files
        self.spec = spec
        self.field = Field(spec.shape, value_range=BYTES)
        self.original = origin
        self._hashes = hashes
        self._kept = None if kept is None else ArrayColumn(kept, self.field, origin=origin)
        self._unreadable = unreadable

    def __len__(self) -> int:
        return len(self.files)

    @property
    def array(self) -> np.ndarray | None:
        """The images where they are in memory; one that could not be read is black."""
        return None if self._kept is None else self._kept.array

    @property
    def memory(self) -> int | None:
        """Bytes of the images where they are in memory."""
        return None if self._kept is None else self._kept.memory

    def on(self, device: str) -> ImageColumn:
        """The same images, held in the memory of a device where they are kept; see `Column.on`."""
        column = copy.copy(self)
        column._kept = self._kept and self._kept.on(device)
        return column

    def gather(self, rows: Any) -> Any:
        """The images at some rows; see `Column.gather`."""
        if self._kept is not None:
            return self._kept.gather(rows)
        from trainkit.framework import tf

        rows = tf.convert_to_tensor(rows)
        images = tf.numpy_function(self._read, [rows], tf.uint8)
        images.set_shape((rows.shape[0], *self.spec.shape))
        return tf.cast(images, self.field.dtype)

    def bad(self) -> Iterator[tuple[int, str]]:
        """Rows that could not be read."""
        yield from sorted(self._unreadable.items())

    def digest(self, rows: np.ndarray) -> bytes:
        """A hash of what the files held and of how it is sized: the same whether or not they are kept in memory."""
        hashed = hashlib.sha256(json.dumps(self.spec.to_json(), sort_keys=True).encode())
        hashed.update(self._hashes[rows].tobytes())
        return hashed.digest()

    def _read(self, rows: np.ndarray) -> np.ndarray:
        images = np.empty((len(rows), *self.spec.shape), np.uint8)
        for index, image in enumerate(self._pool.map(self._read_row, rows.tolist())):
            images[index] = image
        return images

    def _read_row(self, row: int) -> np.ndarray:
        try:
            return read_image(self.files[row], self.spec)
        except ImageError as error:
            raise DataError(f"{self.original(row)}: {error} It could be read before.") from error

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(cores(), thread_name_prefix="images")

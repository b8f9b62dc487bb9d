"""Image files that nobody has read yet."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.data.fields import Field
from trainkit.data.images.column import ImageColumn
from trainkit.data.images.read import ImageError, read_content, read_image
from trainkit.data.images.spec import ImageSpec
from trainkit.data.images.workers import available_memory, for_each_row

_SHARE = 8  # images are kept if they take at most this part of the memory that is available: batches need it twice more


class ImageFiles:
    """The files of a column of images, one for each row. What size they get depends on the network.

    Until they are read they are a `Column` of file names.

    Args:
        files: The files.
        root: The folder of the data set: files in it are shown with its name, others as they are.

    Example:
        >>> ImageFiles([Path("/data/pets/train/cat/1.png")], root=Path("/data/pets")).original(0)
        'pets/train/cat/1.png'
    """

    def __init__(self, files: Sequence[Path], root: Path) -> None:
        self.files = tuple(files)
        self.root = root
        self.field = Field((), "string")
        self.array = None

    def __len__(self) -> int:
        return len(self.files)

    memory = None

    def on(self, device: str) -> ImageFiles:
        """The same files: nothing of them is held."""
        return self

    def gather(self, rows: Any) -> Any:
        """The names of some files; see `Column.gather`."""
        from trainkit.framework import tf

        return tf.gather(tf.constant([os.fsencode(filepath) for filepath in self.files]), rows)

    def bad(self) -> Iterator[tuple[int, str]]:
        """None: what cannot be read is known when it is."""
        return iter(())

    def digest(self, rows: np.ndarray) -> bytes:
        """A hash of the names of some files."""
        return hashlib.sha256(b"\0".join(os.fsencode(self.files[row]) for row in rows)).digest()

    def original(self, row: int) -> str:
        """The name of a row's file, for a person to recognise, on one line."""
        filepath = self.files[row]
        inside = filepath.is_relative_to(self.root.parent)
        name = (filepath.relative_to(self.root.parent) if inside else filepath).as_posix()
        return name if name.isprintable() else repr(name)

    def read(self, spec: ImageSpec, *, budget: int | None = None) -> ImageColumn:
        """Read every image once, to know which cannot be read; keep them if they fit.

        Args:
            spec: The size and channels that the images get.
            budget: Bytes that the images may take in memory; by default an eighth of what is available.

        Returns:
            A column, in memory or read again for each batch.
        """
        size = len(self) * math.prod(spec.shape)
        fits = size <= (available_memory() // _SHARE if budget is None else budget)
        kept = np.zeros((len(self), *spec.shape), np.uint8) if fits else None
        hashes = np.zeros((len(self), hashlib.sha256().digest_size), np.uint8)
        unreadable: dict[int, str] = {}

        def read_row(row: int) -> None:
            try:
                content = read_content(self.files[row])
                hashes[row] = np.frombuffer(hashlib.sha256(content).digest(), np.uint8)
                image = read_image(content, spec)
            except ImageError as error:
                unreadable[row] = str(error)
            else:
                if kept is not None:
                    kept[row] = image

        for_each_row(read_row, len(self), title="Reading images")
        return ImageColumn(self.files, spec, hashes=hashes, kept=kept, unreadable=unreadable, origin=self.original)

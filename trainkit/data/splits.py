"""The contract of a data source: splits of samples, each with its size, its facts and its batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class Facts:
    """What a network needs to know of its data.

    Args:
        input_shape: Shape of one input sample, without the batch axis: `(28, 28, 1)`.
        classes: Names of the classes in the order of their ids, or None where the target is no class.
        input_range: Least and largest value that an input can have, where its type tells: `(0, 255)` for bytes.
    """

    input_shape: tuple[int, ...]
    classes: tuple[str, ...] | None = None
    input_range: tuple[float, float] | None = None

    @classmethod
    def of(cls, inputs: np.ndarray, classes: tuple[str, ...] | None) -> Facts:
        """The facts of inputs in memory, shape `(size, …)`."""
        return cls(inputs.shape[1:], classes, (0.0, 255.0) if inputs.dtype == np.uint8 else None)

    @property
    def values(self) -> dict[str, int]:
        """What `$name` stands for in a config: `classes` is the number of classes."""
        return {} if self.classes is None else {"classes": len(self.classes)}


class Split(Protocol):
    """One part of a data set: train, validation or test.

    Elements of `batches` and `ordered` are `(inputs, targets, weights)`, three dictionaries. With one input and one
    target their keys are `input` and `target`; `weights` is empty where samples weigh the same.
    """

    @property
    def size(self) -> int:
        """Number of samples."""

    @property
    def facts(self) -> Facts:
        """What a network needs to know of the data."""

    @property
    def arrays(self) -> Mapping[str, np.ndarray] | None:
        """`input` and `target` as whole arrays, where the data is in memory."""

    def original(self, index: int) -> str:
        """Where sample `index` comes from, to show to a person: a file, or a file and a row."""

    def batches(self, batch_size: int, *, seed: int, first_epoch: int = 0, first_step: int = 0) -> Any:
        """An endless `tf.data.Dataset` of shuffled batches, epoch after epoch.

        The order of an epoch is a function of (`seed`, epoch) alone, so that going on at `first_step` of
        `first_epoch` gives the batches that an uninterrupted pass would have given. The last batch of an epoch may
        be smaller; an epoch has `ceil(size / batch_size)` batches.
        """

    def ordered(self, batch_size: int) -> Any:
        """A `tf.data.Dataset` of one pass in the order of the samples."""

    def subset(self, indices: np.ndarray) -> Split:
        """The samples at `indices`, in that order."""

    def labels(self) -> np.ndarray:
        """The target of every sample, shape `(size,)` for classes; without reading any input."""


@dataclass(frozen=True)
class Splits:
    """What a source returns: `validation` and `test` may be missing."""

    train: Split
    validation: Split | None = None
    test: Split | None = None

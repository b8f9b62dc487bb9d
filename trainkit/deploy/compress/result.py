"""What a compression step gives back, and what it promises of the model from then on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Kind = Literal["zeros", "distinct values", "filters"]
ZEROS: Kind = "zeros"
DISTINCT: Kind = "distinct values"
FILTERS: Kind = "filters"


@dataclass(frozen=True)
class Promise:
    """What must hold of one weight from the step that made it to the file that is shipped.

    Args:
        step: The step that promises: `Prune`.
        layer: Whose weight it is.
        weight: Keras' name of it: `kernel`.
        kind: `zeros`: at least so many of its values are 0; `distinct values`: it has at most so many, 0 among them,
            and as many in each output channel once a scale a channel has been multiplied in; `filters`: one of its
            axes has just so many channels.
        limit: How many.
        size: Values of the weight.
    """

    step: str
    layer: str
    weight: str
    kind: Kind
    limit: int
    size: int


@dataclass(frozen=True)
class CompressionResult:
    """What a compression step gives back.

    Args:
        model: A plain `tf.keras.Model`; of `Quantize` one that rounds as the int8 file does.
        promises: What must hold of it from now on.
        facts: What else is worth telling, ready for JSON.
        state: Weights that `restore` of the step makes the same model of again, where Keras could not save it.
    """

    model: Any
    promises: tuple[Promise, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    state: Sequence[np.ndarray] | None = None


def promised_zeros(promises: Iterable[Promise]) -> dict[str, float]:
    """The share of zeros that was promised of kernels, by layer."""
    return {promise.layer: promise.limit / promise.size for promise in promises if promise.kind == ZEROS}


def count_zeros(values: np.ndarray) -> int:
    """How many values are exactly 0."""
    return int(values.size - np.count_nonzero(values))


def count_distinct(values: np.ndarray, channels: int | None = None) -> int:
    """How many distinct values there are; with an axis of output channels, in the channel that has most.

    Example:
        >>> kernel = np.array([[1, 2], [1, 4], [3, 6]])
        >>> count_distinct(kernel), count_distinct(kernel, channels=1)
        (5, 3)
    """
    by_channel = np.moveaxis(np.atleast_1d(values), channels, 0) if channels is not None else values[np.newaxis]
    ordered = np.sort(by_channel.reshape(len(by_channel), -1), axis=1)
    return int((ordered[:, 1:] != ordered[:, :-1]).sum(axis=1).max(initial=0)) + 1

"""The keeper: whether what each step promised still holds, of the model and of the file that is shipped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.deploy.compress.constants import Constant
from trainkit.deploy.compress.kernels import weights_of
from trainkit.deploy.compress.result import DISTINCT, FILTERS, ZEROS, Kind, Promise, count_distinct, count_zeros

_AS_MANY: dict[Kind, str] = {ZEROS: "at least", DISTINCT: "at most", FILTERS: "exactly"}


@dataclass(frozen=True)
class Kept:
    """What was found of one promise.

    Args:
        promise: What was promised.
        found: How many zeros, distinct values or filters there are; None where the weight was not found.
        holds: Whether that is what was promised.
    """

    promise: Promise
    found: int | None
    holds: bool

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Kept:
        """The inverse of `asdict`."""
        return cls(**{**values, "promise": Promise(**values["promise"])})

    def __str__(self) -> str:
        promise = self.promise
        expected = f"{_AS_MANY[promise.kind]} {promise.limit:,}"
        found = f"no weight of {promise.size:,} values" if self.found is None else f"{self.found:,}"
        name = f"{promise.step}, {promise.weight} of layer {promise.layer!r}"
        return f"{name}: {promise.kind} expected: {expected} of {promise.size:,}, found: {found}."


def check_model(model: Any, promises: Iterable[Promise], *, by_channel: bool = False) -> list[Kept]:
    """Look for what was promised in a model.

    Args:
        model: A `tf.keras.Model`.
        promises: What was promised of it.
        by_channel: Whether a scale a channel has been multiplied in, so that distinct values are counted in each.
    """
    kept = []
    for promise in promises:
        found = weights_of(model, promise.layer, promise.size)
        kept.append(_judge(promise, [(values, axis if by_channel else None) for values, axis in found]))
    return kept


def check_file(constants: Sequence[Constant], promises: Iterable[Promise]) -> list[Kept]:
    """Look for what was promised in a file.

    Converters multiply scales of output channels into kernels, so that distinct values are counted in each channel.

    Args:
        constants: The constant tensors of the file.
        promises: What was promised of the model that it was made from.
    """
    kept = []
    for promise in promises:
        found = [one for one in constants if one.is_of(promise.layer, promise.size)]
        kept.append(_judge(promise, [(one.values, one.channels) for one in found]))
    return kept


def _judge(promise: Promise, candidates: Sequence[tuple[np.ndarray, int | None]]) -> Kept:
    """The verdict on the candidate that keeps the promise best; each with the axis that values are counted along."""
    if promise.kind == ZEROS:
        found = max((count_zeros(values) for values, _ in candidates), default=None)
        return Kept(promise, found, found is not None and found >= promise.limit)
    if promise.kind == FILTERS:  # formats order the axes in their own ways
        sizes = [values.shape for values, _ in candidates]
        found = next((promise.limit for shape in sizes if promise.limit in shape), sizes[0][-1] if sizes else None)
        return Kept(promise, found, found == promise.limit)
    found = min((count_distinct(values, axis) for values, axis in candidates), default=None)
    return Kept(promise, found, found is not None and found <= promise.limit)

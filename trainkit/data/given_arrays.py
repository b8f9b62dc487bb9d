"""What a source of a config's own Python code gives: columns, or arrays by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainkit.data.array_files import Stored
from trainkit.data.array_records import make_source
from trainkit.data.array_sequences import with_lengths
from trainkit.data.records import Source, Splits
from trainkit.data.sources.npz import TARGETS
from trainkit.errors import DataError, shown

_PARTS = ("train", "validation", "test")
_RULE = "a source must give arrays by name, {'x': …, 'y': …}, or by part, {'train': {'x': …, 'y': …}, 'test': …}"


def as_source(given: Any) -> Source:
    """The columns of what a source gives.

    Args:
        given: `Splits` of columns, as the sources of TrainKit give; or arrays by name, their first axis the samples, or
            for each part of the data such a mapping. The array called `y`, `label`, `labels`, `target` or `targets` is
            learned where the config does not say which.

    Raises:
        DataError: If it is anything else.
    """
    if isinstance(given, Splits):
        return given
    if not isinstance(given, Mapping) or not given:
        raise DataError(f"{_RULE}. Received: {shown(given)}.")
    parts = given if all(isinstance(part, Mapping) for part in given.values()) else {"train": given}
    if unknown := [name for name in parts if name not in _PARTS]:
        raise DataError(f"{_RULE}; parts are {', '.join(_PARTS)}. Received: {', '.join(map(repr, unknown))}.")
    if "train" not in parts:
        raise DataError(f"{_RULE}. Received: no 'train'.")
    stored: dict[str, Mapping[str, Stored]] = {
        role: with_lengths({name: _stored(role, name, array) for name, array in part.items()})
        for role, part in parts.items()
    }
    if any(arrays.keys() != stored["train"].keys() for arrays in stored.values()):
        raise DataError("every part must have the arrays of 'train'.")
    targets = [name for name in TARGETS if name in stored["train"]]
    splits = Splits(stored["train"], stored.get("validation"), stored.get("test"))
    return make_source(splits, target=targets[0] if len(targets) == 1 else None)


def _stored(role: str, name: str, array: Any) -> Stored:
    try:
        values = np.asarray(array)
    except ValueError as error:
        cure = "Give the steps of all samples one after the other, and how many each has as `NAME_lengths`."
        raise DataError(f"the array {name!r} must have rows of one length: {error}. {cure}") from error
    if not values.ndim or not len(values):
        raise DataError(f"the array {name!r} must have a first axis of samples. Received: the shape {values.shape}.")
    return Stored(values.astype(np.float32) if values.dtype == np.float64 else values, f"the {role} array {name}")

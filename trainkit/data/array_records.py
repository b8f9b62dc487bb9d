"""Arrays that were read from files -> records, with the classes of their target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trainkit.data.array_files import Stored
from trainkit.data.class_names import given_names, numbered_names
from trainkit.data.columns import ArrayColumn, Column
from trainkit.data.fields import Field
from trainkit.data.records import Records, Source, Splits
from trainkit.data.sequence_column import SequenceColumn
from trainkit.errors import DataError, shown

_NO_CLASS = -1


def make_source(
    parts: Splits[Mapping[str, Stored]], *, target: str | None, classes: Sequence[str] | None = None
) -> Source:
    """Make a column of each array.

    The target holds class ids if `classes` says so, or if it is one whole number a sample; else it stays as it is.

    Args:
        parts: The arrays by name, the same names in each part.
        target: The array that is learned by default.
        classes: Names of the classes in the order of their ids; by default `"0"` to the largest training label.

    Returns:
        The columns of each part; a sample whose label has no class is a bad one.

    Raises:
        DataError: If the arrays of a part are not of one length, those of two parts do not go together, or the target
            cannot be class ids although `classes` names some.
    """
    names = None if target is None else _class_names(parts.train[target], classes)
    records = {}
    for role, stored in parts.present.items():
        _check_lengths(stored)
        _check_kinds(stored, parts.train)
        records[role] = _make_records(stored, target, names)
    return Splits(records["train"], records.get("validation"), records.get("test"))


def _make_records(stored: Mapping[str, Stored], target: str | None, classes: tuple[str, ...] | None) -> Records:
    columns: dict[str, Column] = {}
    bad: dict[int, str] = {}
    for name, (array, place, lengths) in stored.items():
        if lengths is not None:
            columns[name] = SequenceColumn(array, lengths, origin=place)
        elif name == target and classes is not None:
            columns[name], bad = _labels(array, place, classes)
        else:
            columns[name] = ArrayColumn(array, origin=place)
    return Records(columns, target, bad)


def _labels(array: np.ndarray, place: str, classes: tuple[str, ...]) -> tuple[ArrayColumn, dict[int, str]]:
    """The column of class ids, or of texts that name classes, and its bad rows."""
    if array.shape not in ((len(array),), (len(array), 1)):
        raise DataError(
            f"{place} must hold one label for each sample, shape {(len(array),)!r}. Received: the shape "
            f"{array.shape!r}. One-hot rows become labels with `array.argmax(axis=1)`."
        )
    labels = array.reshape(len(array))
    if labels.dtype.kind == "U":
        known = np.isin(labels, classes)
        rule = f"a label must be one of the {len(classes):,} classes, {shown(list(classes))}"
        column = ArrayColumn(labels, Field((), "string", classes), origin=place)
    else:
        known = (labels >= 0) & (labels < len(classes)) & (labels == np.floor(labels))
        rule = f"a label must be in [0, {len(classes) - 1}], the id of one of {len(classes):,} classes"
        ids = np.full(len(labels), _NO_CLASS, np.int32)
        ids[known] = labels[known]
        column = ArrayColumn(ids, Field((), "int32", classes), origin=place)
    wrong = np.flatnonzero(~known).tolist()
    return column, {row: f"{place}, row {row}: {rule}. Received: {shown(labels[row].item())}." for row in wrong}


def _class_names(stored: Stored, given: Sequence[str] | None) -> tuple[str, ...] | None:
    """The classes of a target, None where it is no class."""
    labels = stored.array
    if stored.lengths is not None:
        return None
    if given is None:
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            return None
        return numbered_names(max(int(labels.max()), 0))
    return given_names(given)


def _check_lengths(stored: Mapping[str, Stored]) -> None:
    if len({item.size for item in stored.values()}) > 1:
        shapes = "; ".join(f"{item.place}: {_shape(item)}" for item in stored.values())
        raise DataError(f"arrays must be of one length, their first axis counts the samples. Received: {shapes}.")


def _check_kinds(stored: Mapping[str, Stored], train: Mapping[str, Stored]) -> None:
    for name, item in stored.items():
        kinds = [_kind(one) for one in (train[name], item)]
        if kinds[0] != kinds[1]:
            raise DataError(f"{item.place} must hold {kinds[0]}, as {train[name].place} does. Received: {kinds[1]}.")


def _shape(stored: Stored) -> str:
    return repr(stored.array.shape) if stored.lengths is None else f"{stored.size:,} sequences"


def _kind(stored: Stored) -> str:
    kind = "texts" if stored.array.dtype.kind == "U" else "numbers"
    return kind if stored.lengths is None else f"sequences of {kind}, with their lengths"

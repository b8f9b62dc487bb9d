"""Columns of a data set -> targets of a network: class ids for classes, float32 for numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from trainkit.config import SettingError
from trainkit.config.document import KeyPath
from trainkit.data.class_names import MOST_UNNAMED, numbered_names
from trainkit.data.columns import ArrayColumn, Column, origin_of
from trainkit.data.fields import Field
from trainkit.errors import shown

NO_CLASS = -1
_MOST_LISTED = 8


class Target(NamedTuple):
    """One target of one part of the data: its column, and why rows of it cannot be used."""

    column: ArrayColumn
    bad: Mapping[int, str]


def make_target(columns: list[Column], classes: tuple[str, ...] | None, *, path: KeyPath) -> Target:
    """Make a target of the columns that a config names for an output.

    Texts become class ids. Numbers are stacked to shape `(rows, columns)`, for regression.

    Args:
        columns: At least one, in memory.
        classes: The classes of the training part, or None where the target is no class.
        path: Of the setting that names the columns.

    Returns:
        The target. Rows whose class is not known, or whose id is out of range, are bad.

    Raises:
        SettingError: If the columns do not go together.
    """
    arrays = [column.array for column in columns]
    if any(column.field.is_sequence for column in columns):
        cure = "A network that answers each step cannot be trained: name a column with one answer a sample."
        raise SettingError(path, f"must be one label or number for each sample, not a sequence of them. {cure}")
    if any(array is None or array.ndim > 2 for array in arrays):
        raise SettingError(path, "must be labels or numbers, not images.")
    if len(columns) > 1 and any(map(_is_class, columns)):
        raise SettingError(path, f"must be one column where it is a class. Received: {len(columns)} columns.")
    if classes is None:
        return _numbers(columns)
    (column,) = columns
    ids = _class_ids(column, classes)
    bad = {int(row): _no_class(column, int(row), classes) for row in np.flatnonzero(ids == NO_CLASS)}
    return Target(ArrayColumn(ids, Field((), "int32", classes), origin=column.original), bad)


def classes_of(columns: list[Column], good: np.ndarray, *, path: KeyPath) -> tuple[str, ...] | None:
    """The classes of a target: those its source names, or the texts that occur in training, sorted.

    A column that is stored as whole numbers holds class ids, `"0"` to the largest of training.

    Args:
        columns: The columns of the target, of the training part.
        good: The rows that can be used.
        path: Of the setting that names the columns.

    Returns:
        The names in the order of their ids, or None where the target is a number.

    Raises:
        SettingError: If whole numbers are too large to be class ids.
    """
    column = columns[0]
    if column.field.classes is not None:
        return column.field.classes
    if column.array is None or not (_is_class(column) or _are_ids(columns)):
        return None
    if column.field.dtype != "string":
        largest = int(column.array[good].max(initial=0))
        if largest >= MOST_UNNAMED:
            raise SettingError(path, f"must be class ids below {MOST_UNNAMED:,}, or numbers of a float type.")
        return numbered_names(largest)
    return tuple(sorted({str(text) for text in column.array[good]} - {""}))


def _is_class(column: Column) -> bool:
    """Whether what a column holds is a class: its source says so, or it is text."""
    return column.field.classes is not None or column.field.dtype == "string"


def _are_ids(columns: list[Column]) -> bool:
    """Whether a target is one column that is stored as whole numbers."""
    (array, *others) = [column.array for column in columns]
    return not others and array is not None and array.dtype.kind in "iu" and array.ndim == 1


def _class_ids(column: Column, classes: tuple[str, ...]) -> np.ndarray:
    """The id of each row's class, `NO_CLASS` where there is none."""
    values = np.asarray(column.array)
    if column.field.dtype == "string":
        ids = {name: index for index, name in enumerate(classes)}
        return np.array([ids.get(str(text), NO_CLASS) for text in values.ravel()], np.int32)
    labels = values.reshape(len(values)).astype(np.int64)
    return np.where((labels < 0) | (labels >= len(classes)), NO_CLASS, labels).astype(np.int32)


def _no_class(column: Column, row: int, classes: tuple[str, ...]) -> str:
    value = np.asarray(column.array)[row]
    if column.field.dtype == "string":
        known = ", ".join(classes[:_MOST_LISTED]) + (", …" if len(classes) > _MOST_LISTED else "")
        return f"a label must be a class of the training samples: {known}. Received: {shown(str(value))}."
    return (
        f"a label must be in [0, {len(classes) - 1}], the id of one of {len(classes):,} classes. Received: "
        f"{int(value)!r}."
    )


def _numbers(columns: list[Column]) -> Target:
    arrays = [np.asarray(column.array, np.float32).reshape(len(column), -1) for column in columns]
    stacked = np.concatenate(arrays, axis=1)
    column = ArrayColumn(stacked, Field(stacked.shape[1:]), origin=origin_of(columns))
    bad = {row: reason for part in columns for row, reason in part.bad()}
    missing = np.flatnonzero(np.isnan(stacked).any(axis=1))  # it can go in, but cannot be learned
    bad = {int(row): "the target must have a value. Received: none." for row in missing} | bad
    return Target(column, dict(column.bad()) | bad)

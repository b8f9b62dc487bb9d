"""Columns of a data set -> inputs of a network, in the size and type that the network takes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trainkit.config import Experiment, Model, Resize, SettingError
from trainkit.config.document import KeyPath
from trainkit.data.columns import ArrayColumn, Column, origin_of
from trainkit.data.fields import Field
from trainkit.data.images import ImageFiles, ImageSpec, size_array
from trainkit.data.selection import column_path
from trainkit.data.sequence_column import SequenceColumn
from trainkit.data.sequence_inputs import fit_sequence

NUMBERS = "fiub"


def make_input(columns: Mapping[str, Column | ImageFiles], experiment: Experiment, *, name: str) -> Column:
    """Make an input of the columns that a config names for it.

    Image files are read and sized; numbers are stacked to shape `(rows, columns)`, as texts are; sequences are padded
    batch by batch.

    Args:
        columns: At least one, by name.
        experiment: The config, which says what shape and type the network takes.
        name: Of the input.

    Returns:
        A column whose batches fit the network.

    Raises:
        SettingError: If they cannot.
    """
    spec, path = experiment.model.input_specs[name], column_path(experiment, "inputs", name)
    column = _stack(list(columns.values()), list(columns), path) if len(columns) > 1 else next(iter(columns.values()))
    if isinstance(column, ImageFiles):
        return column.read(image_spec(experiment, name))
    if isinstance(column, ArrayColumn) and not column.field.shape:
        column = _stack([column], list(columns), path)
    if isinstance(column, ArrayColumn) and len(column.field.shape) == 2 and len(spec.shape) == 3:
        column = _with_channel(column)
    if isinstance(column, ArrayColumn) and experiment.data.resize and column.field.is_image:
        column = _sized(column, image_spec(experiment, name))
    if isinstance(column, SequenceColumn):
        column = fit_sequence(column, experiment, name=name)
    _check(column.field, experiment.model, name)
    if isinstance(column, SequenceColumn):
        return column.with_field(columns=tuple(columns))
    if isinstance(column, ArrayColumn):
        return _typed(column, spec.dtype).with_field(columns=tuple(columns))
    return column


def image_spec(experiment: Experiment, name: str) -> ImageSpec:
    """The size that images are given for an input.

    Raises:
        SettingError: If the input is no image of a fixed size.
    """
    spec, path = experiment.model.input_specs[name], experiment.model.path_of_input(name)
    shape = spec.shape
    if len(shape) != 3 or None in shape or spec.dtype == "string":
        message = f"must be [height, width, channels], all numbers, for images. Received: {shape}."
        raise SettingError(path, message)
    height, width, channels = (int(length or 0) for length in shape)
    if channels not in (1, 3, 4):
        message = f"must have 1 channel (grey), 3 (RGB) or 4 (RGBA) for images. Received: {shape}."
        raise SettingError(path, message)
    resize = experiment.data.resize or Resize()
    return ImageSpec(height, width, channels, resize.method, resize.antialias, resize.fit)


def _first_text(columns: list[Column | ImageFiles], names: list[str]) -> str:
    """The first cell that makes a column one of texts: often it is a slip in a column of numbers."""
    for name, column in zip(names, columns, strict=True):
        if isinstance(column, ArrayColumn) and column.array.dtype.kind not in NUMBERS:
            row = next((row for row, value in enumerate(column.array.ravel()) if not _is_number(value)), 0)
            return (
                f"Received: {name!r} is text, for one at {column.original(row)}: {str(column.array.ravel()[row])!r}. "
            )
    return ""


def _is_number(value: object) -> bool:
    try:
        float(str(value) or "nan")
    except ValueError:
        return False
    return True


def _stack(columns: list[Column | ImageFiles], names: list[str], path: KeyPath) -> ArrayColumn:
    arrays = [column.array for column in columns if isinstance(column, ArrayColumn)]
    kinds = {"text" if array.dtype.kind not in NUMBERS else "number" for array in arrays}
    if len(arrays) < len(columns) or len(kinds) > 1 or any(array.ndim > 2 for array in arrays):
        if any(isinstance(column, SequenceColumn) for column in columns):
            cure = "Give each column of sequences an input of its own in `model.inputs`."
            raise SettingError(
                path, f"must be one column where it holds sequences. Received: {', '.join(names)}. {cure}"
            )
        message = "must be columns of numbers only, or of texts only, to be put side by side."
        cure = "Mend that cell, or give each kind an input of its own in `model.inputs`."
        raise SettingError(path, f"{message} {_first_text(columns, names)}{cure}")
    stacked = np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)
    field = Field(stacked.shape[1:], "string" if kinds == {"text"} else "float32")
    held = [column for column in columns if isinstance(column, ArrayColumn)]
    known_bad = {row: reason for column in held for row, reason in column.known_bad.items()}
    missing = any(column.missing for column in held)
    return ArrayColumn(stacked, field, origin=origin_of(held), missing=missing, known_bad=known_bad)


def _with_channel(column: ArrayColumn) -> ArrayColumn:
    """Grey images without a channel axis, with one."""
    return ArrayColumn(column.array[..., np.newaxis], origin=column.original)


def _typed(column: ArrayColumn, dtype: str) -> ArrayColumn:
    """The column with the type of its batches; a number that an integer type cannot hold makes its row bad."""
    typed = column.with_field(dtype=dtype)
    if dtype not in ("int32", "int64"):
        return typed
    ends = np.iinfo(dtype)
    values = column.array.astype(np.float64)
    wrong = (values != np.floor(values)) | (values < ends.min) | (values > ends.max)
    rows = np.flatnonzero(wrong.reshape(len(values), -1).any(axis=1)).tolist()
    bad = {row: f"must be whole numbers that fit {dtype}. Received: {values[row][wrong[row]][0]:g}." for row in rows}
    known = {**bad, **typed.known_bad}
    return ArrayColumn(typed.array, typed.field, origin=typed.original, missing=typed.missing, known_bad=known)


def _sized(column: ArrayColumn, spec: ImageSpec) -> ArrayColumn:
    if column.array.dtype != np.uint8:
        raise SettingError(("data", "resize"), f"images must be bytes to be sized. Received: {column.array.dtype}.")
    return ArrayColumn(size_array(column.array, spec), origin=column.original)


def _check(field: Field, model: Model, name: str) -> None:
    spec, shape = model.input_specs[name], list(field.shape)
    if len(shape) != len(spec.shape) or any(e not in (None, s) for s, e in zip(shape, spec.shape, strict=True)):
        cure = " Or let `data.resize` size them." if field.is_image and len(spec.shape) == 3 else ""
        message = f"must be the shape of the data, {_written(shape)}. Received: {_written(spec.shape)}.{cure}"
        raise SettingError(model.path_of_input(name), message)
    if (field.dtype == "string") != (spec.dtype == "string"):
        form = f"inputs: {{{name}: {{shape: {_written(spec.shape)}, dtype: string}}}}"
        held = f"texts: write `{form}`" if field.dtype == "string" else "numbers"
        message = f"the data of {name!r} are {held}. Received: dtype={spec.dtype!r}."
        raise SettingError(model.path_of_input(name, "dtype"), message)


def _written(shape: list[int | None]) -> str:
    """A shape as a config has it."""
    return str(shape).replace("None", "null")

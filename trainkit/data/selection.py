"""Which columns of the data are the inputs and the targets of the network."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from trainkit.config import Experiment, SettingError
from trainkit.config.document import KeyPath
from trainkit.data.columns import ArrayColumn, Column
from trainkit.data.fields import Field
from trainkit.data.records import Records
from trainkit.registry import did_you_mean

_MOST_LISTED = 12


def target_columns(records: Records, experiment: Experiment) -> dict[str, dict[str, Column]]:
    """The columns that each output learns: those of `data.targets`, or the one that the source says.

    Raises:
        SettingError: If a column is missing, or none is said.
    """
    written = experiment.data.targets
    outputs = experiment.model.output_names
    if written is None:
        if records.target is None:
            message = f"must name the column to learn. Columns: {_listed(records)}."
            raise SettingError(("data", "targets"), message)
        return {output: _columns(records, records.target, ("data", "targets")) for output in outputs}
    by_name = written if isinstance(written, dict) else {outputs[0]: written}
    return {
        output: _columns(records, names, column_path(experiment, "targets", output))
        for output, names in by_name.items()
    }


def input_columns(records: Records, experiment: Experiment) -> dict[str, dict[str, Any]]:
    """The columns that go into each input: those of `data.inputs`, or by default by their names.

    A single input takes the column of its name, or else all columns that are not learned.

    Raises:
        SettingError: If a column is missing.
    """
    written, names = experiment.data.inputs, list(experiment.model.input_specs)
    path: KeyPath = ("data", "inputs")
    if isinstance(written, dict):
        return {
            name: _columns(records, columns, column_path(experiment, "inputs", name))
            for name, columns in written.items()
        }
    if written is not None:
        return {names[0]: _columns(records, written, path)}
    if len(names) == 1 and names[0] not in records.columns:
        used = _not_inputs(records, experiment)
        left = [name for name in records.columns if name not in used]
        return {names[0]: _columns(records, left, path)}
    return {name: _columns(records, name, path) for name in names}


def weight_column(records: Records, experiment: Experiment) -> ArrayColumn | None:
    """The column of `data.sample_weight`, or None if there is none.

    Raises:
        SettingError: If it is missing, or holds no numbers.
    """
    path, name = ("data", "sample_weight"), experiment.data.sample_weight
    if name is None:
        return None
    column = _columns(records, name, path)[name]
    if not isinstance(column, ArrayColumn) or column.array.dtype.kind not in "fiub" or column.array.ndim != 1:
        raise SettingError(path, f"must be a column of numbers. Received: {name!r}.")
    negative = np.flatnonzero(column.array < 0)
    bad = {int(row): f"column {name!r} must be at least 0. Received: {column.array[row]}." for row in negative}
    if not (np.nan_to_num(column.array) > 0).any():
        raise SettingError(path, f"must weigh some samples more than 0. Received: {name!r}, where none does.")
    return ArrayColumn(column.array, Field(()), origin=column.original, known_bad={**bad, **column.known_bad})


def column_path(experiment: Experiment, key: Literal["inputs", "targets"], name: str) -> KeyPath:
    """Where a config says the columns of an input or an output."""
    written = getattr(experiment.data, key)
    return ("data", key, name) if isinstance(written, dict) else ("data", key)


def _not_inputs(records: Records, experiment: Experiment) -> set[str | None]:
    """The columns that are learned, or that weigh."""
    targets = experiment.data.targets
    written = list(targets.values()) if isinstance(targets, dict) else [targets or records.target]
    flat = {name for item in written for name in (item if isinstance(item, list) else [item])}
    return {*flat, experiment.data.sample_weight}


def _columns(records: Records, names: str | list[str], path: KeyPath) -> dict[str, Any]:
    names = names if isinstance(names, list) else [names]
    for name in names:
        if name not in records.columns:
            near = did_you_mean(name, records.columns)
            raise SettingError(path, f"the data has no column {name!r}.{near} Columns: {_listed(records)}.")
    if not names:
        raise SettingError(path, f"the data has no column for the input. Columns: {_listed(records)}.")
    return {name: records.columns[name] for name in names}


def _listed(records: Records) -> str:
    names = list(records.columns)
    return ", ".join(names[:_MOST_LISTED]) + (", …" if len(names) > _MOST_LISTED else "")

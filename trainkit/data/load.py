"""From the `data:` section of a config to the splits that are trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from trainkit.config import Config, Data, NodeError, SettingError
from trainkit.data.bad import leave_out
from trainkit.data.columns import ArrayColumn, Column
from trainkit.data.given_arrays import as_source
from trainkit.data.images import ImageFiles
from trainkit.data.inputs import make_input
from trainkit.data.records import Records, Splits
from trainkit.data.selection import column_path, input_columns, target_columns, weight_column
from trainkit.data.sequence_column import SequenceColumn
from trainkit.data.sources import SOURCES
from trainkit.data.splits import Split
from trainkit.data.splitting import absent_classes, split_off
from trainkit.data.targets import classes_of, make_target
from trainkit.data.weights import weigh
from trainkit.errors import DataError

DEFAULT_VALIDATION = 0.1
"""Share of the training samples that validate where neither source nor config say something else."""


def load_data(config: Config) -> Splits[Split]:
    """Read the data that a config names: check it, choose inputs and targets, take out validation and test samples.

    Raises:
        ConfigError: With the place in the config, if the data cannot be used.
    """
    from trainkit.objects import build_registered  # which imports TensorFlow

    data = config.experiment.data
    with config.locating():
        try:
            source = as_source(build_registered(data.source, SOURCES, {}))
            return _divide(_make_splits(source, config), data, seed=config.experiment.seed)
        except DataError as error:
            raise NodeError(data.source, str(error)) from error


def _make_splits(source: Splits[Records], config: Config) -> Splits[Split]:
    classes = _classes(source.train, config)
    names = list(source.train.columns)  # another part may have them in another order
    parts: dict[str, Split] = {}
    notes = list(source.notes)
    for role, records in source.present.items():
        try:
            split, bad = _make_split(_in_order(records, names), config, classes)
        except SettingError as error:
            message = error.message if role == "train" else f"of the {role} samples: {error.message}"
            raise SettingError(error.path, message) from error
        _check_targets(split, parts.get("train", split), role)
        _check_padding(split, config.experiment.data)
        if role == "train":
            notes += _both(records, config)
        parts[role], told = leave_out(split, bad, config.experiment.data.bad_data, role=role)
        notes += told
    return Splits(**parts, notes=tuple(notes))


def _in_order(records: Records, names: list[str]) -> Records:
    """The columns in the order of the training part: columns of one input stand side by side in it."""
    ordered = [name for name in names if name in records.columns] + [n for n in records.columns if n not in names]
    return replace(records, columns={name: records.columns[name] for name in ordered})


def _classes(train: Records, config: Config) -> dict[str, tuple[str, ...] | None]:
    """The classes of each target; they come from the training samples and never shift."""
    going_in = [column for columns in input_columns(train, config.experiment).values() for column in columns.values()]
    unread = {row for column in going_in if isinstance(column, ArrayColumn | SequenceColumn) for row, _ in column.bad()}
    good = np.setdiff1d(np.arange(train.size), [*train.bad, *unread])
    found = target_columns(train, config.experiment)
    return {
        output: classes_of(list(columns.values()), good, path=column_path(config.experiment, "targets", output))
        for output, columns in found.items()
    }


def _make_split(
    records: Records, config: Config, classes: Mapping[str, tuple[str, ...] | None]
) -> tuple[Split, dict[int, str]]:
    """The samples of one part, and those that cannot be used, each with where it stands and why."""
    experiment = config.experiment
    given = input_columns(records, experiment)
    inputs = {name: make_input(columns, experiment, name=name) for name, columns in given.items()}
    targets = {
        output: make_target(list(columns.values()), classes[output], path=column_path(experiment, "targets", output))
        for output, columns in target_columns(records, experiment).items()
    }
    weight = weight_column(records, experiment)
    weights = {} if weight is None else dict.fromkeys(targets, weight)
    bad = dict(records.bad)
    images = _images(given)
    found = [(column, column.bad()) for column in (*inputs.values(), *weights.values())]
    for column, reasons in [*found, *((target.column, target.bad.items()) for target in targets.values())]:
        for row, reason in reasons:
            bad.setdefault(row, f"{(images or column).original(row)}: {reason}")
    return Split(inputs, {output: target.column for output, target in targets.items()}, weights), bad


def _both(records: Records, config: Config) -> list[str]:
    """A note on columns that go in and are learned: the network need only pass them on."""
    going_in = {name for columns in input_columns(records, config.experiment).values() for name in columns}
    learned = {name for columns in target_columns(records, config.experiment).values() for name in columns}
    return [f"the column {name!r} is both an input and a target" for name in sorted(going_in & learned)]


def _check_targets(part: Split, train: Split, role: str) -> None:
    for name, field in train.facts.targets.items():
        shape = part.facts.targets[name].shape
        if shape != field.shape:
            told = f"the {role} samples must have targets of the shape {field.shape!r}, as the training samples have"
            raise DataError(f"{told}. Received: {shape!r} for {name!r}.")


def _check_padding(part: Split, data: Data) -> None:
    if data.padding is not None and all(field.padding is None for field in part.facts.inputs.values()):
        message = "is for sequences of different lengths: the inputs of this data are none."
        raise SettingError(("data", "padding"), f"{message} Received: padding={data.padding!r}. Leave it out.")


def _images(given: Mapping[str, Mapping[str, Column]]) -> Column | None:
    """The column of images that goes in, or None: which image it is says more than the place of a label."""
    pairs = (pair for columns in given.values() for pair in columns.items())
    return next((column for name, column in pairs if isinstance(column, ImageFiles) or name == "image"), None)


def _divide(splits: Splits[Split], data: Data, *, seed: int) -> Splits[Split]:
    """Take out test and validation samples where the source brings none, and weigh what is left."""
    train, validation, test = splits.train, splits.validation, splits.test
    if data.test_split:
        if test is not None:
            raise SettingError(("data", "test_split"), _brought("test_split", "test", test.size, data.test_split))
        train, test = split_off(train, data.test_split, key="test_split", seed=seed)
    share = data.validation_split
    if share is None:
        share = DEFAULT_VALIDATION if validation is None else 0.0
    if share:
        if validation is not None:
            message = _brought("validation_split", "validation", validation.size, share)
            raise SettingError(("data", "validation_split"), message)
        train, validation = split_off(train, share, key="validation_split", seed=seed)
    notes = list(splits.notes)
    for role, part in (("validation", validation), ("test", test)):
        if part is not None and (absent := absent_classes(train, part)):
            notes.append(f"the {role} split has no sample of: {', '.join(absent[:5])}{', …' if absent[5:] else ''}")
    return Splits(weigh(train, data.class_weight), validation, test, tuple(notes))


def _brought(key: str, role: str, size: int, asked: object) -> str:
    return f"must be 0 where the source brings {role} samples of its own, here {size:,}. Received: {key}={asked!r}."

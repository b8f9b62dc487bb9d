"""Sequences of a data set -> an input of a network that takes any number of steps."""

from __future__ import annotations

from trainkit.config import Experiment, SettingError
from trainkit.data.sequence_column import SequenceColumn


def fit_sequence(column: SequenceColumn, experiment: Experiment, *, name: str) -> SequenceColumn:
    """Give sequences the form that an input of a network takes: its type, and a feature axis where it has one.

    Args:
        column: As its source found it.
        experiment: The config, which says what shape and type the network takes, and what sequences are padded with.
        name: Of the input.

    Raises:
        SettingError: If the input takes one number of steps only, or cannot hold the padding.
    """
    spec = experiment.model.input_specs[name]
    if len(column.field.shape) == 1 and len(spec.shape) == 2 and spec.shape[1] in (1, None):
        column = column.with_features()
    if len(spec.shape) == len(column.field.shape) and spec.shape[0] is not None:
        shortest, longest = int(column.lengths.min()), int(column.lengths.max())
        wanted = ", ".join(["null", *map(str, column.field.shape[1:])])
        told = f"must begin with null, any number of steps: the samples of the data have {shortest:,} to {longest:,}."
        raise SettingError(experiment.model.path_of_input(name), f"{told} Received: {spec.shape}. Write [{wanted}].")
    if "string" in (spec.dtype, column.field.dtype):
        return column
    padding = experiment.data.padding or 0.0
    if spec.dtype == "float32":
        return column.with_field(padding=padding)
    if not padding.is_integer():
        message = f"must be a whole number: the input {name!r} takes {spec.dtype}. Received: padding={padding!r}."
        raise SettingError(("data", "padding"), message)
    return column.whole(spec.dtype).with_field(padding=int(padding))

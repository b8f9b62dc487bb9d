"""The variables of Keras objects in the files of a checkpoint."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Any

from trainkit.errors import DiskFullError, OutputError, RunError
from trainkit.framework import tf


def write_variables(directory: Path, name: str, **trackables: Any) -> None:
    """Write the variables of Keras objects: weights are data, no code goes with them.

    Raises:
        OutputError: If they cannot be written.
    """
    try:
        tf.train.Checkpoint(**trackables).write(str(directory / name))
    except tf.errors.OpError as error:
        raise output_error(directory, error) from error


def read_variables(directory: Path, name: str, **trackables: Any) -> None:
    """Set the variables of Keras objects to what `write_variables` wrote of objects of the same names and shapes.

    Raises:
        RunError: If a variable is missing, has another shape, or the files are damaged.
    """
    try:
        status = tf.train.Checkpoint(**trackables).read(str(directory / name))
        status.assert_existing_objects_matched().expect_partial()
    except (OSError, ValueError, IndexError, AssertionError, tf.errors.OpError) as error:  # IndexError: too short
        raise RunError(f"{directory} cannot be restored: {_first_line(error)}") from error


def variables_of(*trackables: Any) -> list[Any]:
    """The variables that Keras objects have and use, each once."""
    tracked = chain.from_iterable(tf.train.TrackableView(one).descendants() for one in trackables)
    return list({id(one): one for one in tracked if isinstance(one, tf.Variable)}.values())


def output_error(path: Path, error: Exception) -> OutputError:
    """What an error of TensorFlow says about something that cannot be written."""
    kind = DiskFullError if isinstance(error, tf.errors.ResourceExhaustedError) else OutputError
    reason = re.sub(r" \[Op:\w+\]$", "", _first_line(error)).rpartition("; ")[2]  # without TensorFlow's temporary files
    return kind(f"{path.absolute()} cannot be written: {reason}")


def _first_line(error: Exception) -> str:
    line = next(iter(str(error).splitlines()), type(error).__name__)
    return re.sub(r"^\{\{.*?\}\}\s*", "", line)  # without the name of TensorFlow's node

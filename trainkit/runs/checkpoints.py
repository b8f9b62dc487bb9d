"""Checkpoints: weights and optimizer state as data, written whole or not at all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from trainkit.errors import DiskFullError, OutputError, RunError
from trainkit.framework import tf
from trainkit.runs.atomic import recover_directory, replace_directory, write_json


def save_checkpoint(directory: Path, model: Any, facts: dict[str, Any]) -> None:
    """Write the weights and the optimizer of a model, and facts about them, in place of an older checkpoint.

    Args:
        directory: `checkpoints/best`, say; its parent is made where it is missing.
        model: A compiled `tf.keras.Model`.
        facts: What to remember: the epoch, the value that made it the best.

    Raises:
        OutputError: If it cannot be written; the older checkpoint is untouched.
    """
    with replace_directory(directory) as temporary:
        try:
            tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(str(temporary / "variables"))
        except tf.errors.OpError as error:
            kind = DiskFullError if isinstance(error, tf.errors.ResourceExhaustedError) else OutputError
            raise kind(f"{directory} cannot be written: {_first_line(error)}") from error
        write_json(temporary / "facts.json", facts)


def restore_checkpoint(directory: Path, model: Any) -> dict[str, Any]:
    """Set the weights and the optimizer of a model to those of a checkpoint.

    Returns:
        The facts that were saved with it.

    Raises:
        RunError: If there is no checkpoint, or it is damaged.
    """
    recover_directory(directory)
    try:
        facts = json.loads((directory / "facts.json").read_text(encoding="utf-8"))
        checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        checkpoint.read(str(directory / "variables")).assert_existing_objects_matched()
    except FileNotFoundError:
        raise RunError(f"{directory} is not a checkpoint.") from None
    except (OSError, ValueError, IndexError, AssertionError, tf.errors.OpError) as error:  # IndexError: too short
        raise RunError(f"{directory} cannot be restored: {_first_line(error)}") from error
    return facts


def _first_line(error: Exception) -> str:
    line = next(iter(str(error).splitlines()), type(error).__name__)
    return re.sub(r"^\{\{.*?\}\}\s*", "", line)  # without the name of TensorFlow's node

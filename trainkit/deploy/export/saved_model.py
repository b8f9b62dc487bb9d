"""Keras -> SavedModel"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from trainkit.deploy.export.context import ExportContext
from trainkit.deploy.export.labels import label_files, labels_text
from trainkit.errors import DiskFullError, ExportError, OutputError
from trainkit.framework import quiet_stderr, tf
from trainkit.inference.packed import EXTRA, FACTS
from trainkit.inference.saved_model import SIGNATURE
from trainkit.runs import replace_directory, write_json, write_text


def export_saved_model(model: Any, filepath: Path, *, context: ExportContext) -> Path:
    """Write a directory for TensorFlow Serving, and for whatever else runs TensorFlow.

    It has the signature `serving_default`, whose inputs and outputs have the names of the model's; their first axis is
    free. Texts go in as they are: it holds the vocabularies. It holds no optimizer, and no Python. Beside the graph, in
    `assets.extra`, stand `labels.txt` where there are classes, and `trainkit.json`: where the model comes from, how
    inputs are made and what outputs say.

    Args:
        model: A `tf.keras.Model`; it is not changed.
        filepath: The directory; one that is there is replaced.
        context: What every exporter is told.

    Returns:
        `filepath`.

    Raises:
        InputError: If a class name is more than a line.
        ExportError: If the model cannot be written in this format.
        OutputError: If the directory cannot be written.
    """
    if not filepath.parent.is_dir():  # exporters make no directories but their own
        raise OutputError(f"{filepath.absolute()} cannot be written: {os.strerror(errno.ENOENT)}.")
    classes = context.classes_of(model.output_names)
    labels = {name: labels_text(classes[output]) for output, name in label_files(classes).items()}
    with replace_directory(filepath) as temporary:
        _save(model, temporary, filepath.name)
        extra = temporary / EXTRA
        extra.mkdir()
        for name, text in labels.items():
            write_text(extra / name, text)
        write_json(extra / FACTS, context.to_json())
    return filepath


def _save(model: Any, directory: Path, name: str) -> None:
    served = _serving_function(model)
    held = tf.Module()
    held.used_variables = list(served.variables)
    held.used_tables = _tables(model)  # of which the function does not tell
    try:
        with quiet_stderr():
            tf.saved_model.save(held, str(directory), signatures={SIGNATURE: served})
    except tf.errors.OpError as error:
        kind = DiskFullError if isinstance(error, tf.errors.ResourceExhaustedError) else OutputError
        raise kind(f"{name} cannot be written: {_first_line(error)}.") from error
    except (AssertionError, ValueError, TypeError) as error:  # a resource that nobody holds
        raise ExportError(f"{name} cannot be written: {_first_line(error)}.") from error


def _serving_function(model: Any) -> Any:
    """The model as a function from tensors, in its order, to tensors by name."""

    def serve(*tensors: Any) -> dict[str, Any]:
        outputs = model(list(tensors) if len(tensors) > 1 else tensors[0], training=False)
        return dict(zip(model.output_names, tf.nest.flatten(outputs), strict=True))

    named = zip(model.input_names, model.inputs, strict=True)
    specs = [tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name=name) for name, tensor in named]
    return tf.function(serve).get_concrete_function(*specs)


def _tables(model: Any) -> list[Any]:
    found = tf.train.TrackableView(model).descendants()
    return [item for item in found if isinstance(item, tf.saved_model.experimental.TrackableResource)]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300].rstrip(".")

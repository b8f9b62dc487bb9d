"""One file a format: each takes a Keras model and writes what runs elsewhere.

An exporter is `export_x(model, filepath, *, …, context) -> Path`. A new one is a file here and a line in `_EXPORTERS`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from trainkit.deploy.export.context import ExportContext
from trainkit.deploy.export.labels import label_files, write_labels
from trainkit.registry import Registry

_EXPORTERS = {  # name: (name of the file, place of the function)
    "Keras3": ("{name}_keras3.keras", "trainkit.deploy.export.keras3:export_keras3"),
    "ONNX": ("{name}{unlike_float32}.onnx", "trainkit.deploy.export.onnx:export_onnx"),
    "SavedModel": ("{name}_saved_model", "trainkit.deploy.export.saved_model:export_saved_model"),
    "Tkz": ("{name}.tkz", "trainkit.deploy.export.tkz:export_tkz"),
    "TFLite": ("{name}_{precision}.tflite", "trainkit.deploy.export.tflite:export_tflite"),
}

EXPORTERS = Registry("exporter", {name: place for name, (_, place) in _EXPORTERS.items()})

__all__ = ["EXPORTERS", "ExportContext", "file_name", "label_files", "write_labels"]


def file_name(class_name: str, arguments: Mapping[str, Any], name: str) -> str:
    """The name of the file that an exporter writes.

    Args:
        class_name: The name of the exporter in `EXPORTERS`.
        arguments: What it is called with; the others have their defaults.
        name: The name of the experiment.

    Returns:
        The name, without a directory.

    Raises:
        InputError: If there is no such exporter.

    Example:
        >>> file_name("TFLite", {"precision": "int8"}, "digits"), file_name("TFLite", {}, "digits")
        ('digits_int8.tflite', 'digits_float32.tflite')
        >>> file_name("ONNX", {"precision": "int8"}, "digits"), file_name("ONNX", {}, "digits")
        ('digits_int8.onnx', 'digits.onnx')
    """
    parameters = inspect.signature(EXPORTERS.get(class_name)).parameters.values()
    defaults = {parameter.name: parameter.default for parameter in parameters}
    known = {**defaults, **arguments, "name": name}
    precision = known.get("precision", "float32")
    known["unlike_float32"] = "" if precision == "float32" else f"_{precision}"
    return _EXPORTERS[class_name][0].format(**known)

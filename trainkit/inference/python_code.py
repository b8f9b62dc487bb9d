"""Model files of Keras that hold Python code, which Keras would run."""

from __future__ import annotations

import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]

from trainkit.config import MODULE_PREFIX
from trainkit.errors import InputError

_CODE = ("Lambda", "__lambda__", "ClassMethod", "InstanceMethod", "InstanceProperty")
"""Classes whose config is Python code, or names it; Keras heeds its `safe_mode` for Lambda in .keras files only."""
_MODULES = ("builtins", "keras", "tf_keras", "tensorflow", "tensorflow_model_optimization", "trainkit")
"""Packages that a config may name: Keras imports whatever it names."""
_FUNCTIONS = ("math.", "nn.", "linalg.", "__operators__.", "keras.backend.")
_FUNCTION_NAMES = {
    *(
        "cast",
        "clip_by_value",
        "concat",
        "convert_to_tensor",
        "expand_dims",
        "gather",
        "identity",
        "one_hot",
        "ones_like",
    ),
    *("pad", "repeat", "reshape", "reverse", "shape", "slice", "split", "squeeze", "stack", "stop_gradient"),
    *("strided_slice", "tile", "transpose", "unstack", "where", "zeros_like", "image.resize", "sigmoid", "tanh"),
    *("compat.v1.transpose", "compat.v1.shape", "compat.v1.squeeze", "compat.v1.gather", "compat.v1.nn.softmax"),
}
"""Functions of TensorFlow that a layer may call: those that compute; others write files as soon as a model is read."""
_DAMAGED = (OSError, EOFError, ValueError, LookupError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error)


def refuse_python_code(filepath: Path) -> None:
    """Refuse a .keras or .h5 file that holds Python code, in whatever depth; nothing of the file is run.

    Raises:
        InputError: If it holds a `Lambda` layer, a lambda as the argument of another layer, a function of TensorFlow
            that does more than compute, or a class of a package that is none of Keras.
    """
    for config in _configs(filepath):
        check_code(config, filepath)


def check_code(config: Any, filepath: Path) -> None:
    """Refuse a network that holds Python code, see `refuse_python_code`.

    Args:
        config: The network as its file describes it.
        filepath: The file, for the message.

    Raises:
        InputError: If it holds any.
    """
    if name := next(_code_in(config, "the model"), None):
        cure = "Save the model again with layers of Keras in its place (Rescaling, Activation, Reshape)."
        raise InputError(
            f"`filepath` must be a model without Python code, which is not run. Received: {str(filepath)!r}, which "
            f"has it in {name!r}. {cure}"
        )


def _configs(filepath: Path) -> Iterator[Any]:
    """The networks that a file describes, by its content: a file may be both a zip file and HDF5."""
    with suppress(*_DAMAGED), zipfile.ZipFile(filepath) as archive:
        yield json.loads(archive.read("config.json"))
    with suppress(*_DAMAGED), h5py.File(filepath) as file:
        yield json.loads(file.attrs["model_config"])


def _computes(config: Any) -> bool:
    """Whether the function that a layer of TensorFlow calls only computes."""
    function = str(config.get("function")) if isinstance(config, dict) else ""
    return function in _FUNCTION_NAMES or (function.startswith(_FUNCTIONS) and function.count(".") <= 2)


def _is_known(module: str) -> bool:
    """Whether a module is one of Keras and TrainKit, or custom code that its user has let run in this process."""
    return module.split(".")[0] in _MODULES or (module.startswith(MODULE_PREFIX) and module in sys.modules)


def _code_in(value: Any, name: str) -> Iterator[str]:
    """The names of the layers of a config that hold code."""
    if isinstance(value, list):
        for item in value:
            yield from _code_in(item, name)
    elif isinstance(value, dict):
        config = value.get("config")
        if isinstance(config, dict) and isinstance(config.get("name"), str):
            name = config["name"]
        class_name = re.split(r"[.>]", str(value.get("class_name")))[-1]
        if class_name in _CODE or any(key.endswith("_type") and item == "lambda" for key, item in value.items()):
            yield name
        if class_name in ("TFOpLambda", "SlicingOpLambda") and not _computes(config):
            yield name
        if isinstance(value.get("module"), str) and not _is_known(value["module"]):
            yield name
        for item in value.values():
            yield from _code_in(item, name)

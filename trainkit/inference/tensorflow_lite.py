"""Answers of a .tflite file, given by the interpreter that TensorFlow itself ships."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from trainkit.inference.tflite import TFLitePredictor

_PACKAGES = ("tensorflow", "tensorflow.lite", "tensorflow.lite.python")
"""Around the interpreter."""


class TensorFlowLitePredictor(TFLitePredictor):
    """A .tflite file run by TensorFlow Lite, which apps have that did not move to LiteRT yet.

    The two differ: TensorFlow Lite 2.21 computes a depthwise convolution with a 3×1 kernel, stride 2 and padding `same`
    wrongly, LiteRT 2.3 computes it rightly, from the same file.

    It is for a process of its own: one that did not import TensorFlow before cannot do so any more.
    """

    RUNTIME = "TensorFlow Lite"

    def _open(self, filepath: Path) -> Any:
        return _import_interpreter()(str(filepath))


def _import_interpreter() -> Any:
    """`tf.lite.Interpreter`, without the rest of TensorFlow, which takes twenty times as long to import."""
    try:
        if "tensorflow" not in sys.modules:
            _import_packages_empty()
        from tensorflow.lite.python.interpreter import Interpreter
    except (ImportError, AttributeError):  # it needs more than it did in TensorFlow 2.21
        _forget_tensorflow()
        from trainkit.framework import tf

        return tf.lite.Interpreter
    return Interpreter


def _import_packages_empty() -> None:
    """Let modules of TensorFlow be found without running what its packages begin with."""
    search = None
    for name in _PACKAGES:
        spec = PathFinder.find_spec(name, search)
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError(f"there is no package {name}")
        module = ModuleType(name)
        module.__path__ = search = list(spec.submodule_search_locations)
        sys.modules[name] = module


def _forget_tensorflow() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorflow"]:
        del sys.modules[name]

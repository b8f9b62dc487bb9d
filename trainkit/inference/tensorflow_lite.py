"""Answers of a .tflite file, given by the interpreter that TensorFlow itself ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainkit.framework import tf
from trainkit.inference.tflite import TFLitePredictor


class TensorFlowLitePredictor(TFLitePredictor):
    """A .tflite file run by TensorFlow Lite, which apps have that did not move to LiteRT yet.

    The two differ: TensorFlow Lite 2.21 computes a depthwise convolution with a 3×1 kernel, stride 2 and padding `same`
    wrongly, LiteRT 2.3 computes it rightly, from the same file.
    """

    RUNTIME = "TensorFlow Lite"

    def _open(self, filepath: Path) -> Any:
        return tf.lite.Interpreter(str(filepath))

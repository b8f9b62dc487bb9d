"""The one door to TensorFlow: `tf`, with `tf.keras` known to be tf_keras.

TensorFlow Model Optimization accepts tf_keras models only, and which Keras `tf.keras` is gets decided when
TensorFlow is first imported. `import trainkit` asks for tf_keras; this module checks that it was in time.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Collection
from typing import Any

from trainkit.errors import InputError
from trainkit.native import quiet_stderr

DEEPEST_CHAIN = 25_000
"""Keras follows a chain of layers by calling itself for each, when it builds and when it reads a model."""

sys.setrecursionlimit(max(sys.getrecursionlimit(), DEEPEST_CHAIN))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what fails raises an error too; its optimizers complain in vain


with quiet_stderr():
    import tensorflow as tf

    tf.config.list_physical_devices("GPU")  # says now, unheard, what it would say later of missing drivers

if hasattr(tf.keras, "__version__"):  # only Keras 3 has one
    raise InputError(
        f"tf.keras must be tf_keras 2. Received: Keras {tf.keras.__version__}: TF_USE_LEGACY_KERAS=1 was not in the "
        "environment when TensorFlow was imported. Import trainkit before TensorFlow, or set it."
    )

tf.get_logger().setLevel("ERROR")
warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected", category=UserWarning)


def mlir_quantize(
    calibrated: bytes, *, names: Collection[str] = (), kinds: Collection[str] = (), is_debug: bool = False, **types: Any
) -> bytes:
    """Make a file of integers out of a .tflite whose tensors have ranges: what the converter does after calibration.

    `tf.lite.experimental.QuantizationDebugger` is built on the same function, and its only public way in; it would
    calibrate again for each file.

    Args:
        calibrated: What a converter gives under `_experimental_calibrate_only`.
        names: Of the tensors whose operations stay as they are.
        kinds: Of operations that stay as they are: `TRANSPOSE_CONV`.
        is_debug: Whether each operation is computed twice, with integers and with real numbers, and compared.
        types: `input_data_type` and `output_data_type`, `tf.DType`s.
    """
    from tensorflow.lite.python.convert import mlir_quantize as quantize

    denied = {"denylisted_nodes": sorted(names), "denylisted_ops": sorted(kinds)}
    with quiet_stderr():
        return quantize(calibrated, enable_numeric_verify=is_debug, **denied, **types)


__all__ = ["mlir_quantize", "quiet_stderr", "tf"]

"""The one door to TensorFlow: `tf`, with `tf.keras` known to be tf_keras.

TensorFlow Model Optimization accepts tf_keras models only, and which Keras `tf.keras` is gets decided when
TensorFlow is first imported. `import trainkit` asks for tf_keras; this module checks that it was in time.
"""

from __future__ import annotations

import os
import warnings

from trainkit.errors import TrainKitError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

if hasattr(tf.keras, "__version__"):  # only Keras 3 has one
    raise TrainKitError(
        f"tf.keras must be tf_keras 2. Received: Keras {tf.keras.__version__}, because TensorFlow was imported before "
        "TrainKit. Import trainkit first, or set TF_USE_LEGACY_KERAS=1 in the environment."
    )

tf.get_logger().setLevel("ERROR")
warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected", category=UserWarning)

__all__ = ["tf"]

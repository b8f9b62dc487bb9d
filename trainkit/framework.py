"""The one door to TensorFlow: `tf`, with `tf.keras` known to be tf_keras.

TensorFlow Model Optimization accepts tf_keras models only, and which Keras `tf.keras` is gets decided when
TensorFlow is first imported. `import trainkit` asks for tf_keras; this module checks that it was in time.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from trainkit.errors import InputError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what native code writes to standard error, and show it only if the block fails.

    TensorFlow reports every CPU feature and every missing CUDA library there, whatever its log level.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        before = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(before, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)


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

__all__ = ["quiet_stderr", "tf"]

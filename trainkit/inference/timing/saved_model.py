"""A SavedModel, timed as TensorFlow runs its signature, a `tf.function`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.framework import tf
from trainkit.inference.saved_model import SavedModelPredictor, _encode
from trainkit.inference.timing.runtime import whole_batches

NO_PROFILE = "TrainKit does not read TensorFlow's profiler: times by operation are those of .tflite and .onnx"


class TimedSavedModel:
    """A SavedModel behind the contract of what is timed: its signature, from arrays to arrays.

    Args:
        filepath: The directory.
        threads: That TensorFlow may use, within an operation and for several.

    Raises:
        PredictionError: If TensorFlow refuses it.
    """

    RUNTIME = "TensorFlow, tf.function"

    def __init__(self, filepath: Path, *, threads: int, config: str | None = None) -> None:
        del config
        use_threads(threads)
        self._predictor = SavedModelPredictor(filepath)
        self.inputs = self._predictor.inputs

    def feeds(self, inputs: Mapping[str, np.ndarray], batch: int) -> list[dict[str, np.ndarray]]:
        """See `TimedModel.feeds`."""
        return whole_batches({name: _encode(x, self.inputs[name].dtype).numpy() for name, x in inputs.items()}, batch)

    def run(self, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        """See `TimedModel.run`."""
        given = self._predictor._function(**{name: tf.constant(array) for name, array in feed.items()})
        return [tensor.numpy() for tensor in given.values()]

    def facts(self) -> dict[str, Any]:
        """`weights`."""
        return {"weights": bytes_by_dtype(self._predictor._function.variables)}

    def profile(self, inputs: Mapping[str, np.ndarray], seconds: float) -> dict[str, Any]:
        """See `TimedModel.profile`."""
        del inputs, seconds
        return {"operations": [], "runs": 0, "note": NO_PROFILE}


def use_threads(threads: int) -> None:
    """Let TensorFlow use so many threads; only before it has computed anything."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def bytes_by_dtype(variables: Any) -> dict[str, int]:
    """Bytes of variables by their dtype."""
    weights: Counter[str] = Counter()
    for variable in variables:
        if isinstance(variable, tf.Variable):  # a vocabulary is among the weights, and is none
            weights[variable.dtype.name] += int(np.prod(variable.shape)) * variable.dtype.size
    return dict(weights)

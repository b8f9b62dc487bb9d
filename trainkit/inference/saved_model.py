"""Answers of a SavedModel, given by TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.errors import PredictionError
from trainkit.framework import quiet_stderr, tf
from trainkit.inference.keras import graph_reason
from trainkit.inference.packed import read_packed
from trainkit.inference.predictor import TensorFacts, as_text, check_inputs, describe, reason_of

SIGNATURE = "serving_default"
BATCH_SIZE = 256


class SavedModelPredictor:
    """A SavedModel behind the contract of predictors; it runs in batches.

    It is loaded as a graph, never as Keras objects, which could name Python code. A graph, too, can read and write
    files: one from elsewhere belongs into a child, where it has the rights of the user all the same.

    Args:
        filepath: A directory with `saved_model.pb` and the signature `serving_default`.

    Raises:
        PredictionError: If TensorFlow refuses it, or it has no such signature.
    """

    def __init__(self, filepath: Path | str) -> None:
        self._filepath = Path(filepath)
        try:
            with quiet_stderr():
                self._loaded = tf.saved_model.load(str(filepath))  # which its functions need alive
        except Exception as error:  # whatever TensorFlow meets in a directory that is damaged
            raise self._refusal(re.sub(r"^\{\{.*?\}\}\s*", "", reason_of(error))) from error  # without its node
        self._function = self._loaded.signatures.get(SIGNATURE)
        if self._function is None:
            names = ", ".join(self._loaded.signatures) or "none"
            raise self._refusal(f"it must have the signature {SIGNATURE!r}. Received: {names}")
        self.inputs = _describe(self._function.structured_input_signature[1])
        self.outputs = _describe(self._function.structured_outputs)

    def _refusal(self, reason: str) -> PredictionError:
        return PredictionError(f"{self._filepath.name} cannot be opened by TensorFlow: {reason}.")

    @property
    def facts(self) -> dict[str, Any]:
        """Names, shapes, dtypes; and the `metadata` that TrainKit has put beside the graph, as texts."""
        return describe(self.inputs, self.outputs) | {"metadata": read_packed(self._filepath)}

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answer samples; see `Predictor.predict`."""
        samples = check_inputs(inputs, self.inputs)
        size = min((facts.shape[0] or BATCH_SIZE for facts in self.inputs.values()), default=BATCH_SIZE)
        starts = range(0, samples, size)
        batches = [self._answer({name: x[start : start + size] for name, x in inputs.items()}) for start in starts]
        return {name: np.concatenate([batch[name] for batch in batches]) for name in self.outputs}

    def _answer(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        feed = {name: _encode(array, self.inputs[name].dtype) for name, array in batch.items()}
        try:
            given = self._function(**feed)
        except tf.errors.OpError as error:  # a category that is not known, say
            reason = graph_reason(error)
            raise PredictionError(f"{self._filepath.name} cannot be run by TensorFlow: {reason}.") from error
        return {name: np.asarray(given[name], np.float32) for name in self.outputs}


def _encode(array: np.ndarray, dtype: str) -> Any:
    return tf.constant(as_text(array) if dtype == "string" else array.astype(dtype))


def _describe(specs: Mapping[str, Any]) -> dict[str, TensorFacts]:
    return {name: TensorFacts(tuple(spec.shape), spec.dtype.name) for name, spec in specs.items()}

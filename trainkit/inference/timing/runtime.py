"""The contract of what is timed, and the table of it by format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from trainkit.inference.predictor import TensorFacts
from trainkit.registry import Registry

RUNTIMES = Registry(
    "model file",
    {
        ".keras": "trainkit.inference.timing.keras:TimedKeras",
        ".h5": "trainkit.inference.timing.keras:TimedKeras",
        ".tkz": "trainkit.inference.timing.keras:TimedKeras",
        ".tflite": "trainkit.inference.timing.litert:TimedLiteRT",
        ".onnx": "trainkit.inference.timing.onnx:TimedONNX",
        "": "trainkit.inference.timing.saved_model:TimedSavedModel",
    },
)
"""By suffix; a directory is a SavedModel. Importing the module of one imports its runtime."""


class TimedModel(Protocol):
    """A model file whose calls are timed as its runtime has them, with nothing of TrainKit between.

    It is opened with the path, `threads`, and for Keras the `config` of a run whose Python code may run.
    """

    RUNTIME: str
    """What runs it, in a person's words."""

    inputs: Mapping[str, TensorFacts]
    """What it takes, by name."""

    def feeds(self, inputs: Mapping[str, np.ndarray], batch: int) -> list[Any]:
        """Set the size of a batch, and make of samples what `run` takes: one feed for each whole batch, at least one.

        Args:
            inputs: What the file takes as real values or texts, by name; `batch` samples or more.
            batch: Samples that go in at once.

        Raises:
            PredictionError: If the file does not take so many.
        """

    def run(self, feed: Any) -> Any:
        """Let the file answer: from arrays of NumPy to arrays of NumPy."""

    def facts(self) -> dict[str, Any]:
        """`weights`: dtype to bytes of the weights in it; and what else the runtime tells."""

    def profile(self, inputs: Mapping[str, np.ndarray], seconds: float) -> dict[str, Any]:
        """Time each operation, batch 1, in a process that does nothing else.

        Returns:
            `operations`: in their order, `operation`, `layer` (or nothing), `kernel` and mean `us` each; `runs`; and
            `note` where something has to be known of the figures. No operations with a note where it cannot be had.
        """


def runtime_of(filepath: Path) -> Any:
    """What times a file of this format; its runtime is imported."""
    return RUNTIMES.get("" if filepath.is_dir() else filepath.suffix)


def whole_batches(arrays: Mapping[str, np.ndarray], batch: int) -> list[dict[str, np.ndarray]]:
    """As many whole batches as samples make."""
    samples = min(len(array) for array in arrays.values())
    starts = range(0, max(1, samples // batch) * batch, batch)
    return [
        {name: np.ascontiguousarray(array[start : start + batch]) for name, array in arrays.items()} for start in starts
    ]


def steady_mean(times: Sequence[float]) -> float:
    """The mean without the slowest tenth, when something else had the processor.

    Example:
        >>> steady_mean([1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 3.0, 900.0])
        1.6666666666666667
    """
    kept = sorted(times)[: max(1, len(times) - len(times) // 10)]
    return sum(kept) / len(kept)

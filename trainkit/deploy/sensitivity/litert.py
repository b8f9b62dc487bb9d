"""Files of this process, run in batches by LiteRT."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from trainkit.errors import PredictionError
from trainkit.inference.predictor import reason_of
from trainkit.inference.tflite import SIGNATURE
from trainkit.native import quiet_stderr

BATCH_SIZE = 32


def answer(content: bytes, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The answers of a file with float32 edges that the converter has just made here.

    Args:
        content: The .tflite.
        inputs: What the file takes, by name, shape `(samples, …)`.

    Raises:
        PredictionError: If the interpreter refuses it.
    """
    with _told():
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
        runner = interpreter.get_signature_runner(SIGNATURE)
        details = runner.get_input_details()
        is_free = all(int(detail["shape_signature"][0]) < 0 for detail in details.values())
        given = {name: inputs[name].astype(detail["dtype"]) for name, detail in details.items()}
        batches = [runner(**batch) for batch in _batches(given, BATCH_SIZE if is_free else 1)]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def all_tensors(content: bytes, inputs: Mapping[str, np.ndarray]) -> Any:
    """An interpreter that has run on samples, one batch, and kept every tensor.

    Args:
        content: The .tflite.
        inputs: What the file takes, by name; few enough for the memory.

    Raises:
        PredictionError: If the interpreter refuses it.
    """
    with _told(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Warning: Enabling `experimental_preserve_all_tensors`")
        interpreter = Interpreter(model_content=content, experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
        runner = interpreter.get_signature_runner(SIGNATURE)
        details = runner.get_input_details()
        is_free = all(int(detail["shape_signature"][0]) < 0 for detail in details.values())
        most = len(next(iter(inputs.values()))) if is_free else 1
        runner(**{name: inputs[name][:most].astype(detail["dtype"]) for name, detail in details.items()})
    return interpreter


def _batches(inputs: Mapping[str, np.ndarray], size: int) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(next(iter(inputs.values()))), size):
        yield {name: array[start : start + size] for name, array in inputs.items()}


@contextmanager
def _told() -> Iterator[None]:
    """Hold back what delegates say, and put the interpreter's errors into words."""
    try:
        with quiet_stderr():
            yield
    except (ValueError, RuntimeError, TypeError) as error:
        raise PredictionError(f"the file of integers cannot be run by LiteRT: {reason_of(error)}.") from error

"""The training samples that ranges of integers are taken from, as the network of a file takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from trainkit.deploy.export.context import ExportContext
from trainkit.errors import InputError
from trainkit.inference.preprocess import Preprocess


def calibrate(
    context: ExportContext, count: int, model: Any, preprocess: Preprocess | None
) -> Iterator[dict[str, np.ndarray]]:
    """Training samples, one a batch, by input name.

    Args:
        context: What every exporter is told.
        count: How many.
        model: The `tf.keras.Model` of the file.
        preprocess: What is done to raw columns before the file.

    Raises:
        InputError: If there is none.
    """
    dtypes = {name: tensor.dtype.as_numpy_dtype for name, tensor in zip(model.input_names, model.inputs, strict=True)}
    samples = 0
    for raw in context.calibration(count):
        inputs = preprocess.apply(raw) if preprocess else raw
        yield {name: np.asarray(array, dtypes[name]) for name, array in inputs.items()}
        samples += 1
    if samples == 0:
        raise InputError("calibration must give at least one training sample. Received: none.")


def check_count(calibration_samples: int) -> None:
    """Refuse a calibration without samples.

    Raises:
        InputError: If it is one.
    """
    if calibration_samples < 1:
        received = f"calibration_samples={calibration_samples!r}"
        raise InputError(f"`calibration_samples` must be at least 1. Received: {received}.")

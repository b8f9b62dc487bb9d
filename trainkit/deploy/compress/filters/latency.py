"""How long a network takes on this machine, as the file that LiteRT runs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from trainkit import __version__
from trainkit.deploy.benchmark import Plan, benchmark_files
from trainkit.deploy.benchmark.benchmark import given_samples
from trainkit.deploy.benchmark.candidates import Candidate
from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.export import EXPORTERS, ExportContext
from trainkit.errors import PredictionError

PLAN = Plan(batch=1, threads=(1,), seconds=1.0, rounds=10, operations=False)
"""A second for each file, in turns, with one thread."""


def latency_ratio(
    before: Any, after: Any, *, precision: Literal["float32", "int8"], context: CompressionContext
) -> float:
    """The median time of one inference, as a share of that of another network, which is timed beside it.

    Args:
        before: The `tf.keras.Model` that is compared with.
        after: The model.
        precision: Of the .tflite that is made of both.
        context: What compressors are told: samples come from there.

    Raises:
        ExportError: If a model cannot be converted.
        PredictionError: If a file cannot be timed.
    """
    exporting = ExportContext("candidate", None, context.calibration, __version__)
    with tempfile.TemporaryDirectory(prefix="trainkit-") as folder:
        files = [Path(folder) / f"{name}.tflite" for name in ("before", "after")]
        for model, filepath in zip((before, after), files, strict=True):
            EXPORTERS.get("TFLite")(model, filepath, precision=precision, context=exporting)
        (sample,) = context.calibration(1)
        give = given_samples({name: np.asarray(array) for name, array in sample.items()}, "a training sample")
        result = benchmark_files([Candidate(filepath, filepath.name) for filepath in files], PLAN, give=give)
    result.check_timed()
    first, second = (file.timing(1, 1) for file in result.files)
    if first is None or second is None:
        raise PredictionError("the candidates of PruneFilters could not be timed one sample at a time.")
    return second.p50_us / first.p50_us

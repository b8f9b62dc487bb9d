"""What a compression step has made of a model, in numbers."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainkit.config import Experiment
from trainkit.data import Split
from trainkit.deploy.compress.context import Measurement
from trainkit.deploy.compress.kernels import kernels_of, variables_of
from trainkit.deploy.compress.result import count_distinct, count_zeros
from trainkit.inference.keras import KerasPredictor
from trainkit.training.evaluation import evaluate
from trainkit.training.outputs import outputs_of


@dataclass(frozen=True)
class StepReport:
    """What one step has made of a model.

    Args:
        step: Its name; `Train` is the model before all steps.
        arguments: What it was called with.
        loss: On the validation samples (of the training samples where there are none).
        accuracy: On the same samples; with several outputs the mean of those that are classes, or None.
        drop_points: Accuracy that is lost against the model before all steps, in points (hundredths).
        zeros: Share of the values of all kernels that are 0.
        distinct: Distinct values in the kernel that has most of them; in an output channel after `Quantize`.
        bytes: Of all weights as a file holds them: 4 a value, 1 a value of a kernel after `Quantize`.
        gzip_bytes: The same after gzip.
        seconds: That the step took.
        facts: What else the step tells.
    """

    step: str
    arguments: Mapping[str, Any]
    loss: float
    accuracy: float | None
    drop_points: float | None
    zeros: float
    distinct: int
    bytes: int
    gzip_bytes: int
    seconds: float
    facts: Mapping[str, Any] = field(default_factory=dict)


def measure_loss(model: Any, experiment: Experiment, split: Split) -> Measurement:
    """Loss and accuracy of a model on samples; with several outputs, the mean accuracy of those that are classes."""
    measured = evaluate(KerasPredictor(model), split, outputs_of(experiment, split.facts), experiment)
    details = measured.get("outputs", {"": measured}).values()
    accuracies = [one["accuracy"] for one in details if "accuracy" in one]
    return Measurement(measured["metrics"]["loss"], float(np.mean(accuracies)) if accuracies else None)


def measure_weights(model: Any) -> dict[str, Any]:
    """`zeros`, `distinct`, `bytes` and `gzip_bytes` of the weights of a plain model."""
    kernels = list(kernels_of(model).values())
    weights = [variable.numpy() for variable in variables_of(model) if variable.dtype.is_floating]
    return {"distinct": max(map(count_distinct, kernels), default=0)} | _measure(kernels, weights)


def measure_integers(model: Any) -> dict[str, Any]:
    """The same of a model that `Quantize` has finished, whose kernels a file holds as integers."""
    from trainkit.deploy.compress.quantization.stored import other_weights, stored_kernels

    stored = stored_kernels(model)
    kernels = [one for one in stored.values() if len(one.axes) == 1]  # depthwise ones are left as they are
    distinct = max((count_distinct(one.integers, one.axes[0]) for one in kernels), default=0)
    weights = [*(one.integers for one in stored.values()), *other_weights(model)]
    return {"distinct": distinct} | _measure([one.integers for one in kernels], weights)


def _measure(kernels: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> dict[str, Any]:
    values = sum(kernel.size for kernel in kernels)
    content = b"".join(weight.tobytes() for weight in weights)
    return {
        "zeros": sum(map(count_zeros, kernels)) / values if values else 0.0,
        "bytes": len(content),
        "gzip_bytes": len(zlib.compress(content)),
    }

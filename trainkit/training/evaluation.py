"""The metrics of a model on one split of the data, whatever runs the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from trainkit.config import Experiment
from trainkit.data import Split
from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.inference.metrics import accuracy, answers, confusion_matrix, per_class, regression
from trainkit.inference.predictor import Predictor, by_position, check_classes
from trainkit.inference.renamed import is_isolated
from trainkit.objects import build, first_sentence
from trainkit.training.outputs import Output

MEASURES = ("precision", "recall", "f1", "support")
BATCH_SIZE = 256
MOST_BYTES = 500_000_000
"""Inputs that are held in memory at once for a file that is run in a child process."""


def evaluate(
    predictor: Predictor, split: Split, outputs: Mapping[str, Output], experiment: Experiment | None
) -> dict[str, Any]:
    """Measure a model on samples.

    Args:
        predictor: What runs the model.
        split: The samples.
        outputs: What is learned at each output.
        experiment: What it was trained by, or None where nobody says: then there are no `metrics`.

    Returns:
        `samples`, `metrics` (the loss, without regularization, and the metrics of the config, by the names of the
        logs), and for each output that is a class `accuracy`, `classes`, `confusion_matrix` (a row a true class, a
        column an answer) and `per_class`; for each that is numbers `mae`, `rmse` and `r2`. With several outputs those
        stand in `outputs`, by name.

    Raises:
        PredictionError: If the file cannot be run.
        InputError: If its outputs do not fit the targets, the loss or the metrics.
    """
    measured = {name: _Measured(output, split) for name, output in outputs.items()} if experiment else {}
    given: dict[str, list[np.ndarray]] = {name: [] for name in outputs}
    for inputs, targets, weights in _pieces(split, predictor):
        found = by_position(predictor.predict(inputs), list(outputs))
        for name, values in found.items():
            given[name].append(values)
            if name in measured:
                measured[name].update(targets[name], values, weights.get(name))
    details = {
        name: _details(output, split.labels(name), np.concatenate(given[name])) for name, output in outputs.items()
    }
    only = next(iter(details.values())) if len(details) == 1 else {"outputs": details}
    return {"samples": split.size, "metrics": _logged(measured, experiment) if experiment else {}} | only


class _Measured:
    """Loss and metrics of one output, piece by piece."""

    def __init__(self, output: Output, split: Split) -> None:
        values = split.facts.values
        self.output = output
        self.samples, self._sum = 0, 0.0
        self._loss = build(output.loss, values)
        self.metrics = {name: build(node, values, name=name) for name, node in output.metrics.items()}

    def update(self, targets: np.ndarray, values: np.ndarray, weights: np.ndarray | None) -> None:
        expected, count = self.output.expected(targets), len(values)
        try:
            self._sum += count * float(self._loss(expected, values, weights))
            for metric in self.metrics.values():
                metric.update_state(expected, values)
        except (ValueError, TypeError, tf.errors.OpError) as error:
            told = f"targets {targets.shape}, outputs {values.shape}"
            message = f"loss and metrics must take what the model gives at {self.output.name!r}. Received: {told}."
            raise InputError(f"{message} TensorFlow says: {first_sentence(error)}.") from error
        self.samples += count

    @property
    def loss(self) -> float:
        return self._sum / self.samples


def _logged(measured: Mapping[str, _Measured], experiment: Experiment) -> dict[str, float]:
    """Loss and metrics by the names that the logs of a training have."""
    factors = experiment.training.loss_weights or {}
    several = len(measured) > 1
    logged = {"loss": sum(factors.get(name, 1.0) * one.loss for name, one in measured.items())}
    if several:
        logged |= {f"{name}_loss": one.loss for name, one in measured.items()}
    for name, one in measured.items():
        for metric_name, metric in one.metrics.items():
            logged[f"{name}_{metric_name}" if several else metric_name] = float(np.mean(metric.result()))
    return logged


def _details(output: Output, targets: np.ndarray, given: np.ndarray) -> dict[str, Any]:
    classes = output.target.classes
    if classes is None:
        _check_shape(output, given, targets.shape)
        return regression(targets, given)
    check_classes(given, classes, name=output.name)
    answered = answers(given, logits=output.loss.arguments.get("from_logits") is True or None)
    matrix = confusion_matrix(targets, answered, len(classes))
    columns = zip(MEASURES, per_class(matrix), strict=True)
    return {
        "accuracy": float(accuracy(targets, answered)),
        "classes": list(classes),
        "confusion_matrix": matrix.tolist(),
        "per_class": {name: [float(value) for value in values] for name, values in columns},
    }


def _check_shape(output: Output, given: np.ndarray, expected: tuple[int, ...]) -> None:
    if given.shape != expected:
        raise InputError(f"{output.name!r} must answer in the shape {expected}. Received: {given.shape}.")


def _pieces(split: Split, predictor: Predictor) -> Iterator[tuple[Any, Any, Any]]:
    """Samples in batches; many at once for a child process, which is begun anew for each."""
    size = BATCH_SIZE
    if is_isolated(predictor):
        size = max(1, min(split.size, MOST_BYTES // max(1, split.sample_bytes)))
    yield from split.ordered(size).as_numpy_iterator()

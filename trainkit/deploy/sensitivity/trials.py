"""Files of integers with one set of float layers after the other, each measured on the same samples."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from trainkit.deploy.export.calibrated import Calibrated
from trainkit.deploy.proof import Proof
from trainkit.deploy.sensitivity.litert import answer
from trainkit.errors import ExportError, PredictionError
from trainkit.inference.metrics import are_logits, probabilities

SPREAD = (1, 99)
"""Percentiles between which numbers are said to spread, as the gate has it."""
REFUSED = 1.0
"""The error of a file that cannot be made or run: all is lost."""


@dataclass(frozen=True)
class Trial:
    """What was measured of a file.

    Args:
        error: How far its answers are from those of the Keras model. Of classes: the share of the probability that is
            given to other classes, the mean over samples. Of numbers: the root mean squared difference of the worst
            unit, as a share of its spread. With several outputs, that of the worst. 1 where there are no answers.
        changed: Share of the answers that are other classes; None where no output is a class.
        drop_points: Accuracy that is lost, in points; None where it is not known.
        passed: Whether the file would pass the gate on these samples, and loses no more accuracy than it may.
        reason: A sentence of what was expected and what was found.
    """

    error: float
    changed: float | None
    drop_points: float | None
    passed: bool
    reason: str


class Trials:
    """Makes and measures files; a set of float layers that was measured before is not made again.

    Args:
        calibrated: The network.
        proof: Samples and the Keras model's answers.
        accuracy_drop: Points of accuracy that may be lost.
    """

    def __init__(self, calibrated: Calibrated, proof: Proof, *, accuracy_drop: float) -> None:
        self.calibrated = calibrated
        self.proof = proof
        self.accuracy_drop = accuracy_drop
        self.inputs = calibrated.preprocess.apply(proof.inputs) if calibrated.preprocess else proof.inputs
        self._known: dict[frozenset[str], Trial] = {}

    @property
    def count(self) -> int:
        """How many sets of float layers were measured."""
        return len(self._known)

    def of(self, exclude: Collection[str]) -> Trial:
        """What is measured of the file whose layers compute with integers, but for some.

        One that the converter or LiteRT refuses has failed: another set of layers may do.
        """
        key = frozenset(exclude)
        if key not in self._known:
            self._known[key] = self._try(key)
        return self._known[key]

    def _try(self, exclude: Collection[str]) -> Trial:
        try:
            return self.judge(answer(self.calibrated.quantize(exclude), self.inputs))
        except (ExportError, PredictionError) as error:
            return Trial(REFUSED, None, None, False, str(error))

    def error_of(self, content: bytes | None) -> float:
        """The error of a file that was made otherwise; of none it is 0."""
        return 0.0 if content is None else self._error(answer(content, self.inputs))

    def judge(self, outputs: Mapping[str, np.ndarray]) -> Trial:
        """What is measured of answers."""
        proof = self.proof
        parity = proof.compare(outputs, "int8")
        accuracy = proof.measure(outputs)[0]
        drop = None if accuracy is None or proof.accuracy is None else 100 * (proof.accuracy - accuracy)
        is_kept = drop is None or drop <= max(self.accuracy_drop, 100 / proof.samples) + 1e-9  # one answer is no proof
        reason = parity.reason
        if parity.passed and not is_kept:
            reason = f"accuracy lost expected: at most {self.accuracy_drop:g} points, found: {drop:.2f}."
        changed = None if parity.agreement is None else 1 - parity.agreement
        return Trial(self._error(outputs), changed, drop, parity.passed and is_kept, reason)

    def _error(self, outputs: Mapping[str, np.ndarray]) -> float:
        pairs = [(name, expected, outputs[name]) for name, expected in self.proof.outputs.items()]
        return max(
            numbers_error(expected, found) if name in self.proof.numbers else classes_error(expected, found)
            for name, expected, found in pairs
        )


def classes_error(expected: np.ndarray, found: np.ndarray) -> float:
    """The share of the probability that is given to other classes, the mean over samples.

    Args:
        expected: Probabilities or logits, shape `(samples, …, classes)`.
        found: Of the same shape.

    Example:
        >>> classes_error(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.75, 0.25], [1.0, 0.0]]))
        0.125
    """
    logits = are_logits(expected)
    first, second = (probabilities(values.astype(np.float64), logits=logits) for values in (expected, found))
    moved = np.abs(first - second).sum(axis=-1)
    return float(np.mean(moved if expected.shape[-1] == 1 else moved / 2))


def numbers_error(expected: np.ndarray, found: np.ndarray) -> float:
    """The root mean squared difference of the worst unit, as a share of its spread; a unit without one is left out.

    Args:
        expected: Numbers, shape `(samples, …)`.
        found: Of the same shape.
    """
    first, second = (values.reshape(len(values), -1).astype(np.float64) for values in (expected, found))
    low, high = np.percentile(first, SPREAD, axis=0)
    rmse, spread = np.sqrt(np.mean((first - second) ** 2, axis=0)), high - low
    return float(np.max(rmse[spread > 0] / spread[spread > 0], initial=0.0))

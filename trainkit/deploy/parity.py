"""Whether a file answers like the Keras model that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from trainkit.inference.metrics import answers, are_logits, margin, probabilities

Precision = Literal["float32", "float16", "dynamic", "int8", "int16x8"]

TOLERANCES = {"float32": 1e-5, "float16": 5e-3, "dynamic": 2e-2}
"""Largest difference of a file that computes with real numbers, times the largest output of the Keras model or 1."""

DECISIVE_MARGINS = {"int8": 0.2, "int16x8": 0.05}
"""Lead of the best answer, as a probability, from which a file of integers has to give the same answer.

Of 22 small right networks int16x8 changed no answer with a lead above 0.018; calibrated on samples of 0.75 times their
size, each changed 8 to 31 of about 900 with one above 0.05. The largest difference tells less: right networks reach
5.1e-2, by a few samples beyond the range of the calibration, and those calibrated on 0.9 times their size begin at
5.3e-2.
"""

CHANGES = 1 / 1000
"""Share of the decisive answers that a file of integers may change; one is always allowed."""

UNSTABLE = 1 / 50
"""Share of the decisive answers beyond which no noise of the network itself excuses a file."""

NUMBERS_RMSE = {"int8": 0.05, "int16x8": 0.03}
"""Largest root mean squared difference of a file of integers where outputs are numbers, as a share of their spread:
from the 1st to the 99th percentile of what the Keras model answers, so that a few outliers do not widen it.

Of 21 small right networks int16x8 differed by 0.3% to 1.8%; calibrated on samples of 0.9 times their size, 3.4% and
more.
"""

LEAST_DECISIVE = 1 / 100
"""Share of answers that must be decisive for the comparison to prove something."""


@dataclass(frozen=True)
class Parity:
    """How a file's outputs compare with the Keras model's; with several outputs, those of the worst.

    Args:
        passed: Whether the file answers like the model.
        reason: A sentence with what was expected and what was found.
        samples: Samples compared.
        limit: What `largest_difference` may be; None for integers, where it is not judged.
        largest_difference: Largest absolute difference of an output value; None where nothing could be compared.
        rmse: Root of the mean squared difference; of numbers, that of the worst unit.
        rmse_limit: What `rmse` may be, for numbers in a file of integers.
        decisive: Answers whose margin is large enough to be judged.
        changed: Decisive answers that differ.
        allowed: How many may.
        floor: How many the Keras model changes by itself, where that was asked.
        agreement: Share of all answers that are equal; with several outputs, the mean of those that are classes.
        outputs: With several outputs, the verdict on each.
    """

    passed: bool
    reason: str
    samples: int
    limit: float | None = None
    largest_difference: float | None = None
    rmse: float | None = None
    rmse_limit: float | None = None
    decisive: int = 0
    changed: int = 0
    allowed: int = 0
    floor: int | None = None
    agreement: float | None = None
    outputs: Mapping[str, Parity] = field(default_factory=dict)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Parity:
        """The inverse of `asdict`."""
        outputs = {name: cls.from_json(one) for name, one in values["outputs"].items()}
        return cls(**{**values, "outputs": outputs})


def compare(
    expected: Mapping[str, np.ndarray],
    found: Mapping[str, np.ndarray],
    *,
    precision: Precision,
    numbers: Collection[str] = (),
    floors: Mapping[str, int] | None = None,
) -> Parity:
    """Compare outputs with those of the Keras model on the same samples, matched by name.

    Args:
        expected: Of the Keras model: arrays by output name, shape `(samples, …, classes)`.
        found: Of the file, shaped alike.
        precision: Of the file; it decides what may differ.
        numbers: The outputs that are numbers, as in regression; the others say which class it is.
        floors: How many decisive answers of an output the Keras model changes by itself, where that is known.

    Returns:
        The verdict; with several outputs, that on the worst.
    """
    samples = len(next(iter(expected.values())))
    if expected.keys() != found.keys():
        return Parity(False, f"outputs expected: {sorted(expected)}; found: {sorted(found)}.", samples)
    verdicts = {}
    for name in expected:
        judge = _judge(precision, is_numbers=name in numbers, floor=(floors or {}).get(name))
        verdicts[name] = _judge_values(expected[name], found[name]) or judge(expected[name], found[name])
    worst = min(verdicts, key=lambda name: (verdicts[name].passed, -_severity(verdicts[name])))
    if len(verdicts) == 1:
        return verdicts[worst]
    agreements = [verdict.agreement for verdict in verdicts.values() if verdict.agreement is not None]
    return replace(
        verdicts[worst],
        reason=f"{worst}: {verdicts[worst].reason}",
        agreement=float(np.mean(agreements)) if agreements else None,
        outputs=verdicts,
    )


def _judge_values(expected: np.ndarray, found: np.ndarray) -> Parity | None:
    """The verdict on what cannot be compared, or None."""
    samples = len(expected)
    if expected.shape != found.shape:
        return Parity(False, f"shape expected: {expected.shape}; found: {found.shape}.", samples)
    if not expected.size or not np.isfinite(expected).all():
        bad = np.size(expected) - np.isfinite(expected).sum()
        return Parity(False, f"the Keras model gives {bad} values that are not finite: nothing is proved.", samples)
    if not np.isfinite(found).all():
        bad = np.size(found) - np.isfinite(found).sum()
        return Parity(False, f"finite values expected; found: {bad} that are not.", samples)
    return None


def decisive_changes(expected: np.ndarray, found: np.ndarray, precision: Precision) -> int:
    """How many of the answers that a file of integers is judged by are others.

    Args:
        expected: Of the Keras model, shape `(samples, …, classes)`.
        found: Shaped alike.
        precision: Of the file.
    """
    return _measure(expected, found, _is_decisive(expected, DECISIVE_MARGINS[precision])).changed


def _is_decisive(expected: np.ndarray, least_margin: float) -> np.ndarray:
    return margin(probabilities(expected), logits=False) > least_margin


def _judge(precision: Precision, *, is_numbers: bool, floor: int | None) -> Callable[[np.ndarray, np.ndarray], Parity]:
    if precision in DECISIVE_MARGINS:
        if is_numbers:
            return partial(_judge_integers_numbers, share=NUMBERS_RMSE[precision])
        return partial(_judge_integers, least_margin=DECISIVE_MARGINS[precision], floor=floor)
    return partial(_judge_float_numbers if is_numbers else _judge_float, tolerance=TOLERANCES[precision])


def _judge_float(expected: np.ndarray, found: np.ndarray, *, tolerance: float) -> Parity:
    limit = _limit(expected, tolerance)
    measured = _measure(expected, found, margin(expected, logits=are_logits(expected)) > 2 * limit)
    return _judge_difference(measured, expected, limit)


def _judge_float_numbers(expected: np.ndarray, found: np.ndarray, *, tolerance: float) -> Parity:
    return _judge_difference(_measure_numbers(expected, found), expected, _limit(expected, tolerance))


def _limit(expected: np.ndarray, tolerance: float) -> float:
    return tolerance * max(1.0, float(np.abs(expected).max()))


def _judge_difference(measured: Parity, expected: np.ndarray, limit: float) -> Parity:
    measured = replace(measured, limit=limit)
    spread = float(np.ptp(expected, axis=0).max())
    largest = measured.largest_difference or 0.0
    if len(expected) > 1 and spread <= 10 * limit:
        reason = f"the Keras model answers all samples alike, to {spread:.1e}: nothing is proved."
        return replace(measured, passed=False, reason=reason)
    reason = f"largest difference expected: at most {limit:.1e}, found: {largest:.1e}"
    if measured.decisive:
        reason += f"; changed answers expected: none, found: {measured.changed} of {measured.decisive}"
    return replace(measured, passed=largest <= limit and not measured.changed, reason=f"{reason}.")


def _judge_integers_numbers(expected: np.ndarray, found: np.ndarray, *, share: float) -> Parity:
    """Judge numbers unit by unit: the worst decides."""
    measured = _measure_numbers(expected, found)
    columns = expected.reshape(len(expected), -1).astype(np.float64)
    error = found.reshape(len(found), -1).astype(np.float64) - columns
    low, high = np.percentile(columns, (1, 99), axis=0)
    rmse, limits = np.sqrt(np.mean(error**2, axis=0)), share * (high - low)
    if not limits.all():
        reason = "the Keras model answers all samples alike: nothing is proved. Train the model longer."
        return replace(measured, passed=False, reason=reason)
    worst = int(np.argmax(rmse / limits))
    reason = (
        f"root mean squared difference expected: at most {limits[worst]:.3g}, {share:.0%} of the spread; "
        f"found: {rmse[worst]:.3g}."
    )
    passed = bool(rmse[worst] <= limits[worst])
    return replace(measured, passed=passed, rmse=float(rmse[worst]), rmse_limit=float(limits[worst]), reason=reason)


def _judge_integers(expected: np.ndarray, found: np.ndarray, *, least_margin: float, floor: int | None) -> Parity:
    measured = _measure(expected, found, _is_decisive(expected, least_margin))
    total = answers(expected).size
    least = max(1, int(np.ceil(LEAST_DECISIVE * total)))
    if measured.decisive < least:
        reason = (
            f"answers with a margin above {least_margin} expected: at least {least} of {total}, found: "
            f"{measured.decisive}: nothing is proved. Train the model longer."
        )
        return replace(measured, passed=False, reason=reason)
    allowed = max(1, int(CHANGES * measured.decisive), min(floor or 0, int(UNSTABLE * measured.decisive)))
    moved = "" if floor is None else f" (moved by half a step, its inputs change {floor} of the Keras model's)"
    reason = (
        f"changed answers with a margin above {least_margin} expected: at most {allowed} of "
        f"{measured.decisive}{moved}, found: {measured.changed}."
    )
    return replace(measured, passed=measured.changed <= allowed, allowed=allowed, floor=floor, reason=reason)


def _measure_numbers(expected: np.ndarray, found: np.ndarray) -> Parity:
    difference = found.astype(np.float64) - expected.astype(np.float64)
    return Parity(
        passed=False,
        reason="",
        samples=len(expected),
        largest_difference=float(np.abs(difference).max()),
        rmse=float(np.sqrt(np.mean(difference**2))),
    )


def _measure(expected: np.ndarray, found: np.ndarray, decisive: np.ndarray) -> Parity:
    logits = are_logits(expected)
    equal = answers(expected, logits=logits) == answers(found, logits=logits)
    return replace(
        _measure_numbers(expected, found),
        decisive=int(decisive.sum()),
        changed=int((decisive & ~equal).sum()),
        agreement=float(equal.mean()),
    )


def _severity(verdict: Parity) -> float:
    if verdict.limit is not None and verdict.largest_difference is not None:
        return verdict.largest_difference / verdict.limit
    if verdict.rmse_limit and verdict.rmse is not None:
        return verdict.rmse / verdict.rmse_limit
    return verdict.changed / max(1, verdict.decisive)

"""Samples that a file is tried on besides the test set: zeros, the ends of the ranges, and batches of several sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.deploy.parity import TOLERANCES, Precision
from trainkit.errors import PredictionError
from trainkit.inference.isolated import Trial

FULL, ODD = 32, 7
"""Samples of a full batch, and of one that fills no vector of a processor."""
ALONE = 4
"""Samples that are also handed over one by one."""

Arrays = Mapping[str, np.ndarray]
Answer = Callable[[Arrays], Arrays]


@dataclass(frozen=True)
class Probe:
    """Samples, and what a file has to answer.

    Args:
        name: What reports call it.
        trial: The samples, and how many are handed over at once.
        expected: The Keras model's answers; None where the file's own answers to the same samples are expected,
            however many are handed over.
    """

    name: str
    trial: Trial
    expected: Arrays | None = None


@dataclass(frozen=True)
class ProbeReport:
    """What became of a probe.

    Args:
        name: Of the probe.
        samples: How many.
        passed: Whether the file answers as it should.
        reason: A sentence with what was expected and what was found.
        limit: What `largest_difference` may be; None where it is not judged.
        largest_difference: From what was expected, of an output value; None where there are no answers.
    """

    name: str
    samples: int
    passed: bool
    reason: str
    limit: float | None = None
    largest_difference: float | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ProbeReport:
        """The inverse of `asdict`."""
        return cls(**values)


def make_probes(answer: Answer, inputs: Arrays, ranges: Mapping[str, tuple[float, float]]) -> tuple[Probe, ...]:
    """Choose what a file is tried on.

    Args:
        answer: The Keras model.
        inputs: Real samples by input name, shape `(samples, …)`.
        ranges: The least and largest value of those inputs of which the data tells them, as 0 and 255 of bytes; the
            ends of the others are those of the samples, value by value.

    Returns:
        The probes; what the model itself refuses, as a category that it does not know, is not among them.
    """
    made = {"zeros": _zeros(inputs), "extremes": _extremes(inputs, ranges)}
    probes = []
    for name, samples in made.items():
        try:
            probes.append(Probe(name, Trial(samples, 1), answer(samples)))
        except PredictionError:
            continue
    for name, count, piece in (("one by one", ALONE, 1), ("full batch", FULL, FULL), ("odd batch", ODD, ODD)):
        probes.append(Probe(name, Trial({key: x[:count] for key, x in inputs.items()}, piece)))
    return tuple(probes)


def judge_probe(
    probe: Probe, found: Arrays | str, *, own: Arrays, precision: Precision, facts: Mapping[str, Any]
) -> ProbeReport:
    """Say whether a file answers a probe as it should.

    Args:
        probe: What it was tried on.
        found: Its answers by output name, or what went wrong.
        own: Its answers to the first test samples.
        precision: Of the file. What int8 answers to inputs that no calibration sample was like has no limit: it only
            has to be finite.
        facts: What the file tells of itself.
    """
    samples = len(next(iter(probe.trial.inputs.values())))
    if isinstance(found, str):
        return ProbeReport(probe.name, samples, False, found)
    expected = {name: x[:samples] for name, x in own.items()} if probe.expected is None else probe.expected
    if {name: x.shape for name, x in found.items()} != {name: x.shape for name, x in expected.items()}:
        told = {name: x.shape for name, x in found.items()}
        return ProbeReport(probe.name, samples, False, f"outputs as of other samples expected, found: {told}.")
    if not all(np.isfinite(x).all() for x in expected.values()):
        return ProbeReport(probe.name, samples, True, "the model itself gives values that are not finite.")
    if not all(np.isfinite(x).all() for x in found.values()):
        return ProbeReport(probe.name, samples, False, "finite values expected; found: some that are not.")
    worst = max(_differences(expected, found, precision, is_own=probe.expected is None), key=_excess)
    difference, limit = worst
    passed = limit is None or difference <= limit
    expectation = "any" if limit is None else f"at most {limit:.1e}"
    against = "its answers in other batches" if probe.expected is None else "the Keras model"
    reason = f"largest difference from {against} expected: {expectation}, found: {difference:.1e}."
    if probe.trial.piece > 1 and _takes_one(facts):
        reason = "takes one sample at a time."
    return ProbeReport(probe.name, samples, passed, reason, limit, difference)


def _differences(
    expected: Arrays, found: Arrays, precision: Precision, *, is_own: bool
) -> list[tuple[float, float | None]]:
    """The largest difference of each output, and its limit."""
    differences: list[tuple[float, float | None]] = []
    for name, right in expected.items():
        size = max(1.0, float(np.abs(right).max()))
        tolerance = TOLERANCES.get(precision, TOLERANCES["dynamic"] if is_own else None)
        difference = float(np.abs(found[name].astype(np.float64) - right).max())
        differences.append((difference, None if tolerance is None else tolerance * size))
    return differences


def _excess(measured: tuple[float, float | None]) -> float:
    difference, limit = measured
    return difference if limit is None else difference / limit


def _takes_one(facts: Mapping[str, Any]) -> bool:
    return any(tensor["shape"][:1] == [1] for tensor in facts.get("inputs", {}).values())


def _zeros(inputs: Arrays) -> dict[str, np.ndarray]:
    """A sample of nothing; a text stays as it is."""
    return {name: x[:1] if _is_text(x) else np.zeros_like(x[:1]) for name, x in inputs.items()}


def _extremes(inputs: Arrays, ranges: Mapping[str, tuple[float, float]]) -> dict[str, np.ndarray]:
    """A sample of the least values, one of the largest, and one of both in turn."""
    made = {}
    for name, x in inputs.items():
        if _is_text(x):
            made[name] = np.repeat(x[:1], 3, axis=0)
            continue
        least, most = np.fmin.reduce(x), np.fmax.reduce(x)  # which pass over missing numbers
        if name in ranges:
            least, most = (np.full_like(x[0], end) for end in ranges[name])
        in_turn = np.where(np.arange(x[0].size).reshape(x[0].shape) % 2, most, least)
        made[name] = np.stack([least, most, in_turn]).astype(x.dtype)
    return made


def _is_text(array: np.ndarray) -> bool:
    return array.dtype.kind in "USO"

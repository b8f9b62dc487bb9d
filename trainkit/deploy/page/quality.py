"""How right the model is: metrics, confusions, classes one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.deploy.page.answered import Answered
from trainkit.deploy.page.interval import wilson
from trainkit.deploy.page.records import number_of, part_of, read_record
from trainkit.deploy.subject import Subject
from trainkit.inference.metrics import answers, confusion_matrix, per_class, regression
from trainkit.runs import Run

ROLES = ("test", "validation", "train")
MOST_PAIRS = 10


@dataclass(frozen=True)
class ClassQuality:
    """How one class does."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Confusion:
    """How often samples of a class are taken for another."""

    true: str
    answered: str
    count: int
    share: float


@dataclass(frozen=True)
class Quality:
    """How right one output is.

    Args:
        output: Its name.
        role: The part of the data that it was measured on.
        samples: How many.
        accuracy: Share of right answers; None of numbers.
        interval: The 95% interval of the accuracy; None where a sample has several answers, which go together.
        classes: Their names.
        matrix: Counts, a row a true class, a column an answer.
        per_class: In the order of the classes.
        confusions: The most frequent.
        numbers: `mae`, `rmse`, `r2` of numbers.
    """

    output: str
    role: str
    samples: int
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    classes: tuple[str, ...] = ()
    matrix: tuple[tuple[int, ...], ...] = ()
    per_class: tuple[ClassQuality, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    numbers: Mapping[str, float] | None = None

    @property
    def errors(self) -> int:
        """How many samples were answered wrongly."""
        return sum(map(sum, self.matrix)) - sum(row[index] for index, row in enumerate(self.matrix))

    @property
    def baseline(self) -> float | None:
        """The share that is right if the most frequent class is always answered."""
        supports = [one.support for one in self.per_class]
        return max(supports) / sum(supports) if sum(supports) else None

    @property
    def beats_baseline(self) -> bool:
        """Whether the whole interval of the accuracy is above that."""
        return self.interval is None or self.baseline is None or self.interval[0] > self.baseline

    @property
    def ends(self) -> tuple[float, float]:
        """What a picture of precisions and recalls shows from side to side: a round share and 1."""
        least = min((min(one.precision, one.recall) for one in self.per_class if one.support), default=0.0)
        step = 10.0 ** math.floor(math.log10(max(1 - least, 1e-3)))
        return max(0.0, 1 - step * max(1, math.ceil((1 - least) / step))), 1.0

    @property
    def worst_first(self) -> list[ClassQuality]:
        """The classes, that with the smallest F1 first."""
        return sorted(self.per_class, key=lambda one: one.f1)


def role_of(subject: Subject) -> str:
    """The part of the data that files are proved on."""
    return next(role for role in ROLES if role in subject.splits.present)


def measure_quality(subject: Subject, proof: Answered, run: Run | None) -> tuple[Quality, ...]:
    """What the run has measured on all of its test samples; else what the samples of the proof say."""
    recorded = read_record(run.metrics) if run else {}
    role = next((role for role in ("test", "validation") if part_of(recorded, role)), "")
    entry = part_of(recorded, role)
    found = []
    for name in subject.splits.train.facts.targets:
        one = part_of(entry, "outputs", name) or (entry if "outputs" not in entry else {})
        samples = int(number_of(entry.get("samples")) or 0)
        quality = _of_record(name, role, samples, one) or _of_proof(name, role_of(subject), proof, subject)
        found += [quality] if quality else []
    return tuple(found)


def logged_metrics(run: Run | None) -> dict[str, dict[str, float]]:
    """Loss and metrics that the run has measured, by name and then by part of the data."""
    recorded = read_record(run.metrics) if run else {}
    found: dict[str, dict[str, float]] = {}
    for role in ("validation", "test"):
        for name, value in part_of(recorded, role, "metrics").items():
            if (number := number_of(value)) is not None:
                found.setdefault(name, {})[role] = number
    return found


def _of_record(name: str, role: str, samples: int, one: Mapping[str, Any]) -> Quality | None:
    if "confusion_matrix" in one:
        return _of_matrix(name, role, samples, tuple(map(str, one["classes"])), np.array(one["confusion_matrix"]))
    if "rmse" in one:
        return Quality(name, role, samples, numbers={key: one[key] for key in ("mae", "rmse", "r2") if key in one})
    return None


def _of_proof(name: str, role: str, proof: Answered, subject: Subject) -> Quality | None:
    target, given = proof.targets.get(name), proof.outputs.get(name)
    classes = subject.splits.train.facts.targets[name].classes
    if target is None or given is None:
        return None
    if classes is None:
        return Quality(name, role, proof.samples, numbers=regression(target, given)) if len(given) else None
    answered = answers(given, logits=logits_of(proof, name))
    if answered.shape != target.shape:
        return None
    return _of_matrix(name, role, proof.samples, classes, confusion_matrix(target, answered, len(classes)))


def logits_of(proof: Answered, name: str) -> bool | None:
    """Whether an output is logits; None where the values have to tell."""
    return True if part_of(proof.data, "outputs", name).get("logits") else None


def _of_matrix(name: str, role: str, samples: int, classes: Sequence[str], matrix: np.ndarray) -> Quality:
    found = zip(classes, *per_class(matrix), strict=True)
    right = float(np.trace(matrix) / max(1, matrix.sum()))
    return Quality(
        output=name,
        role=role,
        samples=samples,
        accuracy=right,
        interval=wilson(right, samples) if matrix.sum() == samples else None,
        classes=tuple(classes),
        matrix=tuple(map(tuple, matrix.tolist())),
        per_class=tuple(ClassQuality(one, float(p), float(r), float(f), int(s)) for one, p, r, f, s in found),
        confusions=tuple(_confusions(classes, matrix)),
    )


def _confusions(classes: Sequence[str], matrix: np.ndarray) -> list[Confusion]:
    support = np.maximum(1, matrix.sum(axis=1))
    pairs = [
        Confusion(classes[true], classes[given], int(matrix[true, given]), float(matrix[true, given] / support[true]))
        for true, given in zip(*np.nonzero(matrix), strict=True)
        if true != given
    ]
    return sorted(pairs, key=lambda pair: -pair.count)[:MOST_PAIRS]

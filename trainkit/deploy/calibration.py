"""The training samples that ranges of integers are taken from: which they are, and whether they can be right."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from trainkit.data import Split
from trainkit.deploy.proof import Proof, collect
from trainkit.errors import DataError

ROLE = "train"
OFF_SCALE = 10.0
"""How many times wider or narrower than the test samples' values no calibration samples' values are."""
MOST_LOOKED_AT = 1000
"""Samples whose values are compared."""
WORSE = 0.2
"""Share of right answers by which calibration samples may fall behind test samples; chance comes on top."""
_RULE = "calibration samples must be like those that the model was trained on"
_CURE = "Are they scaled as in the training, and no noise?"
DEVIATIONS = 3.0
"""Standard deviations that chance is allowed."""


def calibration_samples(split: Split, count: int, *, seed: int) -> Iterator[dict[str, np.ndarray]]:
    """Training samples, one a batch, in the order of the first epoch: so of all classes, as they come.

    Where the type of an input tells its range, two values of the first sample become its ends: an integer input then
    has a scale of 1 for bytes, and an app hands over raw pixels, whatever the brightest training image was.
    """
    fields = split.facts.inputs
    batches = _chosen(split, count, seed).ordered(1)
    for index, (inputs, _, _) in enumerate(batches.as_numpy_iterator()):
        if index == 0:
            inputs = {name: array.copy() for name, array in inputs.items()}
            for name, array in inputs.items():
                if (ends := fields[name].value_range) is not None:
                    array.flat[0], array.flat[-1] = ends
        yield inputs


def _chosen(split: Split, count: int, seed: int) -> Split:
    return split.first_rows(min(count, split.size), seed=seed)


@dataclass(frozen=True)
class Calibration:
    """The samples that ranges were taken from.

    Args:
        split: They, in their order.
        files: How many of them, from the first on, each file takes.
        preprocessing: The sha256 of how inputs are made of the originals, and of what the network does to them first.
    """

    split: Split
    files: Mapping[str, int]
    preprocessing: str

    @classmethod
    def choose(cls, split: Split, files: Mapping[str, int], *, seed: int, preprocessing: str) -> Calibration:
        """The samples that `calibration_samples` gives."""
        return cls(_chosen(split, max(files.values()), seed), files, preprocessing)

    def counts(self, samples: int) -> dict[str, dict[str, int]]:
        """How many of the first samples there are of each class, by output."""
        targets = self.split.facts.targets
        classes = {name: field.classes for name, field in targets.items() if field.classes is not None}
        labels = {name: self.split.labels(name)[:samples].ravel() for name in classes}
        found = {name: np.bincount(labels[name], minlength=len(c)).tolist() for name, c in classes.items()}
        return {name: dict(zip(c, found[name], strict=True)) for name, c in classes.items()}

    def without(self, files: Collection[str]) -> Calibration | None:
        """The same where some files were not made; None where no other takes samples."""
        others = {name: count for name, count in self.files.items() if name not in files}
        return replace(self, files=others) if others else None

    @cached_property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The least and the largest value of each input that is numbers; missing ones are passed over."""
        return self._pass[0]

    @property
    def sha256(self) -> str:
        """Of all inputs, sample by sample."""
        return self._pass[1]

    @cached_property
    def _pass(self) -> tuple[dict[str, tuple[float, float]], str]:
        """Ranges and sha256, from one pass that holds a sample at a time."""
        digest = hashlib.sha256()
        ends: dict[str, tuple[float, float]] = {}
        for inputs, _, _ in self.split.ordered(1).as_numpy_iterator():
            for name, array in inputs.items():
                is_numbers = array.dtype.kind in "buif"
                values = array.tobytes() if is_numbers else repr(array.tolist()).encode()
                digest.update(f"{name} {array.dtype} {array.shape}\n".encode() + values)
                if is_numbers:
                    least, most = float(np.fmin.reduce(array, None)), float(np.fmax.reduce(array, None))
                    known = ends.get(name, (least, most))
                    ends[name] = float(np.fmin(known[0], least)), float(np.fmax(known[1], most))
        return ends, digest.hexdigest()

    def to_json(self) -> dict[str, Any]:
        """What `verify.json` holds of it."""
        size = self.split.size
        return {
            "role": ROLE,
            "samples": size,
            "files": dict(self.files),
            "classes": self.counts(size),
            "ranges": self.ranges,
            "sha256": self.sha256,
            "preprocessing_sha256": self.preprocessing,
            "originals": [self.split.original(index) for index in range(size)],
        }


def check_calibration(calibration: Calibration, proof: Proof, *, is_foreign: bool) -> None:
    """Refuse samples that cannot be what the model was trained on: their ranges would be wrong.

    Args:
        calibration: The samples.
        proof: The model, and the samples that files are proved on.
        is_foreign: Whether the model was made elsewhere, so that nobody knows whether the data is its own.

    Raises:
        DataError: With what is wrong of them: one class only, other values than the test samples have, or answers of
            the model that are wrong as if they were noise.
    """
    for samples in sorted({*calibration.files.values()}):
        for name, counts in calibration.counts(samples).items():
            _check_classes(name, counts)
    inputs, targets = collect(calibration.split, calibration.split.size)
    for name, ends in calibration.ranges.items():
        if name not in proof.ranges:
            _check_scale(name, inputs[name][:MOST_LOOKED_AT], ends, proof.inputs[name][:MOST_LOOKED_AT])
    measured = replace(proof, inputs=inputs, targets=targets).of_model[1]
    for name, values in measured.items():
        if "accuracy" in values:
            _check_answers(name, targets[name], values["accuracy"], proof, is_foreign=is_foreign)
        else:
            _check_numbers(name, values, proof.of_model[1].get(name, values))


def _check_classes(name: str, counts: Mapping[str, int]) -> None:
    present = [one for one, count in counts.items() if count]
    if len(counts) > 1 and len(present) == 1:
        total = sum(counts.values())
        raise DataError(
            f"calibration samples must be of several classes of {name!r}. Received: {total} of {present[0]!r}, none of "
            f"the other {len(counts) - 1}. Give training samples of all classes, or raise calibration_samples."
        )


def _check_scale(name: str, found: np.ndarray, ends: tuple[float, float], test: np.ndarray) -> None:
    """Compare how far values lie apart, but for the outermost of a hundred."""
    own, other = (np.ptp(np.nanpercentile(x.astype(np.float64), (1, 99))) for x in (found, test))
    if own and other and not 1 / OFF_SCALE <= own / other <= OFF_SCALE:
        least, most = np.fmin.reduce(test, None), np.fmax.reduce(test, None)
        raise DataError(
            f"calibration samples must be scaled like the others. Received: values of {name!r} from {ends[0]:.4g} to "
            f"{ends[1]:.4g}, those of test samples from {least:.4g} to {most:.4g}."
        )


def _check_numbers(name: str, found: Mapping[str, float], test: Mapping[str, float]) -> None:
    if found["r2"] < 0 <= test["r2"] - WORSE:
        raise DataError(
            f"{_RULE}. Received: samples of which it misses {name!r} by {found['rmse']:.3g} (root mean square), and "
            f"that of test samples by {test['rmse']:.3g}. {_CURE}"
        )


def _check_answers(name: str, target: np.ndarray, accuracy: float, proof: Proof, *, is_foreign: bool) -> None:
    """Compare right answers with those of test samples, and of a model from elsewhere with a guess."""
    counts = np.bincount(target.ravel())
    samples = int(counts.sum())
    told = f"Received: samples of which it answers {accuracy:.1%} rightly as to {name!r}"
    test = proof.of_model[1].get(name, {}).get("accuracy")
    if test is not None and accuracy < test - WORSE - _chance(test, samples):
        raise DataError(f"{_RULE}. {told}, and {test:.1%} of the test samples. {_CURE}")
    guess = float(counts.max() / samples)
    if is_foreign and samples > 1 and accuracy <= guess + _chance(guess, samples):
        raise DataError(f"{_RULE}. {told}: no better than always the same answer ({guess:.1%}). {_CURE}")


def _chance(share: float, samples: int) -> float:
    """How far the share of some samples may lie from a share by chance."""
    return DEVIATIONS * float(np.sqrt(share * (1 - share) / samples))

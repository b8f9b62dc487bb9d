"""Run an exported file in a child process, and prove that it answers like its model."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.deploy.compress.keeper import Kept
from trainkit.deploy.parity import Parity, Precision, compare
from trainkit.errors import InputError, PredictionError
from trainkit.inference.isolated import TIMEOUT, IsolatedResult, predict_isolated
from trainkit.inference.metrics import accuracy, answers, regression
from trainkit.runs import files_of, sha256_of

MOST_TOLD = 3
_HELD = {
    "float16": "float16 weights",
    "dynamic": "int8 weights",
    "int8": "int8 weights",
    "int16x8": "int16 activations",
}
"""What makes a file what it is called."""
_INTEGERS = ("int8", "int16x8")
"""Precisions of files that compute with integers alone."""
OTHER_RUNTIME = "TensorFlow Lite"
_RUNTIMES = {".keras": "Keras 3"}
"""What runs a file that TrainKit otherwise reads by rebuilding it."""


@dataclass(frozen=True)
class Proof:
    """What files are proved against: samples, and a Keras model's answers to them.

    Args:
        file: Name of the model's file.
        sha256: Of that file.
        inputs: Samples by input name, shape `(samples, …)`.
        targets: What is right, by output name: class ids, shape `(samples,)`, or numbers, shape `(samples, units)`.
        outputs: What the model answers, by output name.
        data: What an app has to know of inputs and outputs, ready for JSON.
        trained: The proof by the model that was trained, where this one was made of it.
    """

    file: str
    sha256: str
    inputs: Mapping[str, np.ndarray]
    targets: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
    data: Mapping[str, Any] = field(default_factory=dict)
    trained: Proof | None = None

    @property
    def numbers(self) -> list[str]:
        """The outputs that are numbers, not classes."""
        return [name for name, target in self.targets.items() if target.ndim > 1]

    @property
    def accuracy(self) -> float | None:
        """Of the model on these samples; with several outputs that are classes, the mean of theirs."""
        return self.of_model[0]

    @cached_property
    def of_model(self) -> tuple[float | None, dict[str, dict[str, float]]]:
        """What `measure` says of the model's own answers."""
        return self.measure(self.outputs)

    def against(self, model: Any, name: str) -> Proof:
        """The same samples with the answers of a model that was made of this one.

        Args:
            model: A `tf.keras.Model`.
            name: What reports call it.
        """
        return replace(self, file=name, outputs=_answers(model, self.inputs), trained=self)

    def drop_points(self, accuracy: float | None) -> float | None:
        """Accuracy that is lost against the model that was trained, in points (hundredths)."""
        trained = (self.trained or self).accuracy
        return None if accuracy is None or trained is None else 100 * (trained - accuracy)

    def measure(self, outputs: Mapping[str, np.ndarray]) -> tuple[float | None, dict[str, dict[str, float]]]:
        """How right answers are: the accuracy, and of each output `accuracy`, or `rmse` where it is numbers."""
        measured: dict[str, dict[str, float]] = {}
        for name, target in self.targets.items():
            if name not in outputs or len(outputs[name]) != len(target):
                continue
            if name in self.numbers and outputs[name].shape == target.shape:
                measured[name] = {"rmse": regression(target, outputs[name])["rmse"]}
            elif target.shape == (given := answers(outputs[name])).shape:
                measured[name] = {"accuracy": accuracy(target, given)}
        accuracies = [values["accuracy"] for values in measured.values() if "accuracy" in values]
        return (float(np.mean(accuracies)) if accuracies else None), measured

    @property
    def samples(self) -> int:
        """How many samples the files are proved on."""
        return len(next(iter(self.inputs.values())))

    def to_json(self, reports: Sequence[FileReport]) -> dict[str, Any]:
        """What `verify.json` holds."""
        return {
            "version": 1,
            "model": {
                "file": self.file,
                "sha256": self.sha256,
                "accuracy": self.accuracy,
                "outputs": self.of_model[1],
            },
            "data": self.data,
            "samples": self.samples,
            "files": [asdict(report) for report in reports],
        }


@dataclass(frozen=True)
class FileReport:
    """What was measured of one exported file.

    Args:
        file: Its name.
        precision: `float32`, `float16`, `dynamic`, `int8` or `int16x8`.
        bytes: Its size.
        gzip_bytes: Its size after gzip.
        sha256: Of its content.
        accuracy: Of the file, or None where no output is a class, or there are no answers; the mean of several.
        drop_points: Accuracy of the model that was trained minus that of the file, in points (hundredths).
        outputs: Of each output `accuracy`, or `rmse` where it is numbers.
        parity: Whether it answers like its model.
        facts: What the file tells of itself: inputs, outputs, metadata.
        made_from: The model that it is compared with.
        promises: What was found of the promises of compression steps.
    """

    file: str
    precision: str
    bytes: int
    gzip_bytes: int
    sha256: str
    accuracy: float | None
    drop_points: float | None
    outputs: dict[str, dict[str, float]]
    parity: Parity
    facts: dict[str, Any]
    made_from: str
    promises: tuple[Kept, ...] = ()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FileReport:
        """The inverse of `asdict`."""
        parity, promises = Parity.from_json(values["parity"]), tuple(map(Kept.from_json, values["promises"]))
        return cls(**{**values, "parity": parity, "promises": promises})


def make_proof(
    model: Any,
    model_filepath: Path,
    inputs: Mapping[str, np.ndarray],
    targets: Mapping[str, np.ndarray],
    *,
    data: Mapping[str, Any] | None = None,
) -> Proof:
    """Let a Keras model answer the samples that files will be proved on.

    Args:
        model: The `tf.keras.Model` that the files are made from.
        model_filepath: Where it was saved.
        inputs: Samples by input name, shape `(samples, …)`.
        targets: What is right, by output name; nothing where it is not known.
        data: What an app has to know of inputs and outputs.

    Returns:
        What `verify_file` compares with.
    """
    outputs = _answers(model, inputs)
    return Proof(model_filepath.name, sha256_of(model_filepath), inputs, targets, outputs, data or {})


def _answers(model: Any, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    from trainkit.inference.keras import KerasPredictor

    return KerasPredictor(model).predict(inputs)


def verify_file(filepath: Path, *, precision: Precision, proof: Proof, timeout: float = TIMEOUT) -> FileReport:
    """Run a file on the samples of a proof, in a child process.

    Args:
        filepath: A .tflite or .onnx file, a .keras file of Keras 3, or the directory of a SavedModel.
        precision: Of the file; it decides what may differ.
        proof: What it is compared with.
        timeout: Seconds that opening the file, or a few samples, may take.

    Returns:
        What was measured. A file that cannot be opened, crashes or hangs did not pass.
    """
    content = b"".join(path.read_bytes() for path in files_of(filepath))
    result = IsolatedResult({}, {})
    try:
        runtime = _RUNTIMES.get(filepath.suffix)
        result = predict_isolated(filepath, proof.inputs, runtime=runtime, timeout=timeout)
        parity = compare(proof.outputs, result.outputs, precision=precision, numbers=proof.numbers)
        parity = _judge_insides(parity, precision, result.facts)
        if parity.passed and filepath.suffix == ".tflite":
            parity = _judge_elsewhere(parity, filepath, precision, proof, timeout)
    except (PredictionError, InputError) as error:
        parity = Parity(False, str(error), proof.samples)
    own, outputs = proof.measure(result.outputs)
    return FileReport(
        file=filepath.name,
        precision=precision,
        bytes=len(content),
        gzip_bytes=len(gzip.compress(content, mtime=0)),
        sha256=sha256_of(filepath),
        accuracy=own,
        drop_points=proof.drop_points(own),
        outputs=outputs,
        parity=parity,
        facts=_told(result.facts, precision),
        made_from=proof.file,
    )


def with_faults(report: FileReport, faults: Sequence[str], promises: Sequence[Kept] = ()) -> FileReport:
    """A report that also tells what became of promises in the file; what it does not keep is the verdict.

    Args:
        report: What was measured of the file.
        faults: What the file does not keep, a sentence each.
        promises: What was found of promises.
    """
    broken = [*faults, *(str(one) for one in promises if not one.holds)]
    told = [*broken[:MOST_TOLD], *([f"And {len(broken) - MOST_TOLD} more."] if len(broken) > MOST_TOLD else [])]
    parity = replace(report.parity, passed=False, reason=" ".join(told)) if broken else report.parity
    return replace(report, parity=parity, promises=tuple(promises))


def _judge_insides(parity: Parity, precision: Precision, facts: Mapping[str, Any]) -> Parity:
    """The verdict on whether a file is inside what its name says.

    A file of integers may hold real numbers at its edges only; one of the other small ones must hold what makes it
    small.
    """
    inside = _computed_in_float(facts) if precision in _INTEGERS else []
    if inside:
        few = ", ".join([*inside[:MOST_TOLD], *(["…"] if len(inside) > MOST_TOLD else [])])
        reason = f"computation with real numbers inside expected: none, found: {len(inside)} ({few})."
        return replace(parity, passed=False, reason=reason)
    dtype, _, what = _HELD.get(precision, "").partition(" ")
    if dtype and dtype not in facts.get("dtypes", [dtype]):
        cure = " Use `precision: float32` for so small a network." if what == "weights" else ""
        reason = f"{dtype} {what} inside expected: some, found: none.{cure}"
        return replace(parity, passed=False, reason=reason)
    return parity


def _computed_in_float(facts: Mapping[str, Any]) -> list[str]:
    """What a file of integers must not hold: a .onnx may compute with real numbers where there are no weights."""
    if "float_kernels" in facts:
        return facts["float_kernels"]
    return facts.get("float_operations") or facts.get("float_tensors", [])


def _judge_elsewhere(parity: Parity, filepath: Path, precision: Precision, proof: Proof, timeout: float) -> Parity:
    """The verdict on a .tflite that LiteRT runs rightly, once TensorFlow's own interpreter has run it too."""
    result = predict_isolated(filepath, proof.inputs, runtime=OTHER_RUNTIME, timeout=timeout)
    other = compare(proof.outputs, result.outputs, precision=precision, numbers=proof.numbers)
    if other.passed:
        return parity
    return replace(other, reason=f"LiteRT answers rightly, but {OTHER_RUNTIME}, which older apps have: {other.reason}")


def _told(facts: dict[str, Any], precision: str) -> dict[str, Any]:
    """The facts worth keeping: that a float32 file holds float tensors is none."""
    of_integers = ("float_tensors", "float_operations", "float_kernels")
    return {key: value for key, value in facts.items() if key not in of_integers or precision in _INTEGERS}

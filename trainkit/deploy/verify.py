"""Run an exported file in a child process, and prove that it answers like its model."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from trainkit.deploy.compress.keeper import Kept
from trainkit.deploy.export.operations import OperationsFile
from trainkit.deploy.file_facts import operation_facts, operation_faults
from trainkit.deploy.islands import Islands
from trainkit.deploy.parity import Parity, Precision
from trainkit.deploy.probes import ProbeReport, judge_probe
from trainkit.deploy.proof import Proof
from trainkit.errors import InputError, PredictionError
from trainkit.inference.isolated import PIECE, TIMEOUT, IsolatedResult, predict_isolated
from trainkit.inference.tflite_graph import TFLiteGraph
from trainkit.runs import files_of, sha256_of

MOST_TOLD = 3
ONE = 1
"""Samples that an app hands to a .tflite at once."""
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
        outputs: What was measured of each output.
        parity: Whether it answers like its model.
        facts: What the file tells of itself: inputs, outputs, metadata.
        made_from: The model that it is compared with.
        promises: What was found of the promises of compression steps.
        probes: What it answers to zeros, to the ends of the ranges, and in batches of several sizes.
        islands: What computes with real numbers in an int8 file that was asked to have such layers.
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
    probes: tuple[ProbeReport, ...] = ()
    islands: dict[str, Any] | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FileReport:
        """The inverse of `asdict`."""
        parity, promises = Parity.from_json(values["parity"]), tuple(map(Kept.from_json, values["promises"]))
        probes = tuple(map(ProbeReport.from_json, values["probes"]))
        return cls(**{**values, "parity": parity, "promises": promises, "probes": probes})


@dataclass(frozen=True)
class Failure:
    """A file that could not be made.

    Args:
        file: What its name would be.
        reason: A sentence.
    """

    file: str
    reason: str


def make_record(
    proof: Proof,
    reports: Sequence[FileReport],
    *,
    failed: Sequence[Failure] = (),
    calibration: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What `verify.json` holds.

    Args:
        proof: What the files were proved against.
        reports: What was measured of each.
        failed: The files that could not be made.
        calibration: Which samples the ranges of integers were taken from, ready for JSON; None where there are none.
    """
    model = {"file": proof.file, "sha256": proof.sha256, "accuracy": proof.accuracy, "outputs": proof.of_model[1]}
    return {
        "version": 1,
        "model": model,
        "data": proof.data,
        "samples": proof.samples,
        "calibration": calibration,
        "files": [asdict(report) for report in reports],
        "failed": [asdict(failure) for failure in failed],
    }


def verify_file(
    filepath: Path, *, precision: Precision, proof: Proof, islands: Islands | None = None, timeout: float = TIMEOUT
) -> FileReport:
    """Run a file on the samples of a proof, in a child process.

    Args:
        filepath: A .tflite or .onnx file, a .keras file of Keras 3, or the directory of a SavedModel.
        precision: Of the file; it decides what may differ.
        proof: What it is compared with.
        islands: What an int8 file computes with real numbers, where that is asked for.
        timeout: Seconds that opening the file, or a few samples, may take.

    Returns:
        What was measured. A file that cannot be opened, crashes or hangs did not pass.
    """
    content = b"".join(path.read_bytes() for path in files_of(filepath))
    result, probes, file = IsolatedResult({}, {}), [], None
    try:
        trials = {probe.name: probe.trial for probe in proof.probes}
        piece = ONE if filepath.suffix == ".tflite" else PIECE
        runtime = _RUNTIMES.get(filepath.suffix)
        result = predict_isolated(
            filepath, proof.inputs, piece=piece, trials=trials, runtime=runtime, inside=True, timeout=timeout
        )
        if filepath.suffix == ".tflite":
            file = OperationsFile(TFLiteGraph(content), proof.layers)
            result = replace(result, facts=result.facts | operation_facts(file.graph, file.layers()))
        parity = proof.compare(result.outputs, precision)
        parity = (
            _judge_islands(parity, islands, file)
            if islands and file
            else _judge_insides(parity, precision, result.facts)
        )
        probes = _judge_probes(proof, result, precision)
        if parity.passed and (missed := [str(one) for one in probes if not one.passed]):
            parity = replace(parity, passed=False, reason=missed[0])
        if parity.passed and filepath.suffix == ".tflite":
            parity = _judge_elsewhere(parity, filepath, precision, proof, timeout)
    except (PredictionError, InputError) as error:
        parity = Parity(False, str(error), proof.samples)
    own, outputs = proof.measure(result.outputs)
    facts = _told(result.facts, precision)
    report = FileReport(
        file=filepath.name,
        precision=precision,
        bytes=len(content),
        gzip_bytes=len(gzip.compress(content, mtime=0)),
        sha256=sha256_of(filepath),
        accuracy=own,
        drop_points=proof.drop_points(own),
        outputs=outputs,
        parity=parity,
        facts=facts,
        made_from=proof.file,
        probes=tuple(probes),
        islands=_told_islands(islands, file) if islands and file else None,
    )
    return with_faults(report, operation_faults(facts))


def _judge_probes(proof: Proof, result: IsolatedResult, precision: Precision) -> list[ProbeReport]:
    judge = partial(judge_probe, own=result.outputs, precision=precision, facts=result.facts)
    return [judge(probe, result.trials[probe.name]) for probe in proof.probes]


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


def _judge_islands(parity: Parity, islands: Islands, file: OperationsFile) -> Parity:
    """The verdict on whether exactly the excluded layers of an int8 file compute with real numbers."""
    faults = islands.faults(file)
    return replace(parity, passed=False, reason=" ".join(faults)) if faults else parity


def _told_islands(islands: Islands, file: OperationsFile) -> dict[str, Any]:
    """What `verify.json` holds of them."""
    return {"exclude": list(islands.patterns), "layers": islands.layers(file)}


def _computed_in_float(facts: Mapping[str, Any]) -> list[str]:
    """What a file of integers must not hold: a .onnx may compute with real numbers where there are no weights."""
    if "float_kernels" in facts:
        return facts["float_kernels"]
    return facts.get("float_operations") or facts.get("float_tensors", [])


def _judge_elsewhere(parity: Parity, filepath: Path, precision: Precision, proof: Proof, timeout: float) -> Parity:
    """The verdict on a .tflite that LiteRT runs rightly, once TensorFlow's own interpreter has run it too."""
    result = predict_isolated(filepath, proof.inputs, piece=ONE, runtime=OTHER_RUNTIME, timeout=timeout)
    other = proof.compare(result.outputs, precision)
    if other.passed:
        return parity
    return replace(other, reason=f"LiteRT answers rightly, but {OTHER_RUNTIME}, which older apps have: {other.reason}")


def _told(facts: dict[str, Any], precision: str) -> dict[str, Any]:
    """The facts worth keeping: that a float32 file holds float tensors is none."""
    of_integers = ("float_tensors", "float_operations", "float_kernels")
    return {key: value for key, value in facts.items() if key not in of_integers or precision in _INTEGERS}

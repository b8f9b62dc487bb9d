"""The files of a deploy: made, proved, explained and timed, in one directory that appears whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from trainkit import __version__
from trainkit.config import Config, Node
from trainkit.data import describe, fingerprint
from trainkit.deploy.benchmark.deployment import benchmark_deployment
from trainkit.deploy.byproducts import beside
from trainkit.deploy.calibration import Calibration, calibration_samples, check_calibration
from trainkit.deploy.compress import Promise
from trainkit.deploy.compress.constants import open_file, read_constants
from trainkit.deploy.compress.keeper import check_file
from trainkit.deploy.compress.kernels import digest_of
from trainkit.deploy.compress.quantize import CALIBRATION_SAMPLES
from trainkit.deploy.compress.rounding import rounding_faults
from trainkit.deploy.compress.steps import Compressed, compress
from trainkit.deploy.compress.store import key_of
from trainkit.deploy.export import EXPORTERS, ExportContext, label_files, write_labels
from trainkit.deploy.exports import Exports
from trainkit.deploy.network import is_other_network, write_network
from trainkit.deploy.packages import ALL_PACKAGES, installed
from trainkit.deploy.page import write_report
from trainkit.deploy.proof import Proof, collect, make_proof
from trainkit.deploy.sensitivity import Explainer, Explanation, explain_files, write_explanation
from trainkit.deploy.subject import COMPRESSED, NETWORK, REJECTED, Subject
from trainkit.deploy.verify import Failure, FileReport, make_record, verify_file, with_faults
from trainkit.errors import ExportError, PredictionError
from trainkit.objects import build_registered
from trainkit.runs import replace_directory, replace_file, write_json
from trainkit.training.determinism import seed_everything
from trainkit.training.log import say

CALIBRATED = ("int8", "int16x8")
"""Precisions whose ranges are taken from training samples."""
MOST_SAMPLES = 10_000
"""Samples that a file is proved on; of a larger test set, the first ones."""


@dataclass(frozen=True)
class Deployment:
    """What `deploy` made.

    Args:
        directory: Where the files stand.
        proof: The samples that the files were run on, and the model's answers.
        files: What was measured of each.
        compressed: What the steps of `deploy.compress` have made, if there are any.
        explanation: What integers cost each layer, where an int8 file falls short or it was asked for.
        failures: The files that could not be made; all others were.
    """

    directory: Path
    proof: Proof
    files: tuple[FileReport, ...]
    compressed: Compressed | None = None
    explanation: Explanation | None = None
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class _Origin:
    """What a file is made from: a model, its answers, what was promised of it, and the layers that it rounds.

    The key is all that this follows from.
    """

    model: Any
    proof: Proof
    key: str
    promises: tuple[Promise, ...] = ()
    layers: Sequence[Mapping[str, str]] = ()


class Production:
    """Makes the files of a deploy.

    Args:
        subject: What is deployed.
        console: Where progress is shown.
    """

    def __init__(self, subject: Subject, console: Console) -> None:
        self._subject, self._console = subject, console
        self._config, self._splits = subject.config, subject.splits
        self._context = _make_context(subject)
        self._exports = Exports(subject.work / "exports")
        self._explainer = Explainer(self._splits, self._context, seed=self._config.experiment.seed, console=console)

    def run(self, names: Sequence[str], *, explain: bool) -> Deployment:
        """Compress the model, make every file and prove it; the directory appears whole.

        Args:
            names: Of the files, in the order of the config.
            explain: Whether to tell what int8 costs each layer, also of a file that is good.

        Raises:
            DataError: If the calibration samples cannot be right.
            ExportError: If no file can be made.
        """
        subject, settings = self._subject, self._config.experiment.deploy
        for note in self._splits.notes:
            say(self._console, f"note: {note}")
        seed_everything(self._config.experiment, self._config.experiment.seed)
        proof = _make_proof(subject, self._context)
        calibration = _calibration(subject, self._context, names)
        if calibration is not None:
            check_calibration(calibration, proof, is_foreign=subject.is_foreign)
        compressed = compress(subject, self._console) if settings.compress else None
        with replace_directory(subject.directory) as directory, self._config.locating():
            plain, quantized = _origins(subject, proof, compressed, directory)
            made, failures = self._export_all(directory, names, plain, quantized)
            reports, failed = [report for _, report in made], [failure for _, failure in failures]
            taken = calibration.without([failure.file for failure in failed]) if calibration else None
            self._write_labels(directory)
            record = make_record(proof, reports, failed=failed, calibration=taken.to_json() if taken else None)
            write_json(directory / "verify.json", record)
            if compressed is not None:
                write_json(directory / "compression.json", compressed.to_json())
                if is_other_network(compressed.model, subject.model):
                    with beside(NETWORK, self._console):
                        write_network(directory, compressed.model, proof, subject)
            explain_all = partial(
                explain_files,
                self._explainer,
                made,
                plain.model,
                failed=failures,
                is_asked=explain,
                before_quantize=quantized is not plain,
            )
            explanation = self._write_byproducts(directory, proof, explain_all)
        self._exports.clear()
        return Deployment(subject.directory, proof, tuple(reports), compressed, explanation, tuple(failed))

    def _write_byproducts(
        self, directory: Path, proof: Proof, explain: Callable[[], Explanation | None]
    ) -> Explanation | None:
        """What is told of files that were proved: it never costs them."""
        subject, explanation = self._subject, None
        with beside("the explanation of int8", self._console):
            explanation = explain()
            write_explanation(directory, explanation)
        if self._config.experiment.deploy.benchmark:
            with beside("the benchmark", self._console):
                benchmark_deployment(directory, proof.inputs, subject.model, self._console)
        with beside("the page", self._console):
            write_report(directory, subject=subject, proof=proof)
        return explanation

    def _export_all(
        self, directory: Path, names: Sequence[str], plain: _Origin, quantized: _Origin
    ) -> tuple[list[tuple[Node, FileReport]], list[tuple[Node, Failure]]]:
        """Each file that can be made, and why the others cannot."""
        made, failures = [], []
        for node, filename in zip(self._config.experiment.deploy.export, names, strict=True):
            origin = quantized if node.arguments.get("precision") == "int8" else plain
            try:
                made.append((node, self._export(node, directory / filename, origin)))
            except (ExportError, PredictionError) as error:  # the latter where `exclude: auto` tries files
                say(self._console, f"error: {error}")
                failures.append((node, Failure(filename, str(error))))
        if not made:
            raise ExportError("\n".join(failure.reason for _, failure in failures))
        return made, failures

    def _export(self, node: Node, filepath: Path, origin: _Origin) -> FileReport:
        """Export one file and prove it; one that fails is moved where nobody ships it by mistake."""
        context, exports = self._context, self._exports

        def make(path: Path) -> FileReport:
            decision = self._explainer.decide(node, origin.model)
            build_registered(decision.node, EXPORTERS, {}, model=origin.model, filepath=path, context=context)
            precision = node.arguments.get("precision", "float32")
            report = verify_file(path, precision=precision, proof=origin.proof, islands=decision.islands)
            return _with_promises(decision.told(report), path, origin)

        key = key_of(origin.key, node.class_name, node.arguments, context.to_json(), context.classes)
        report = exports.find(filepath.name, key)
        say(self._console, f"exporting {filepath.name}" if report is None else f"{filepath.name}, as before")
        report = report or exports.make(filepath.name, key, make)
        directory = filepath.parent if report.parity.passed else filepath.parent / REJECTED
        directory.mkdir(exist_ok=True)
        exports.put(filepath.name, directory)
        if not report.parity.passed:
            exports.drop(filepath.name)
        return report

    def _write_labels(self, directory: Path) -> None:
        classes = _classes(self._subject)
        for output, filename in label_files(classes).items():
            write_labels(directory / filename, classes[output])


def _make_context(subject: Subject) -> ExportContext:
    """What exporters are told besides the model."""
    experiment, train = subject.config.experiment, subject.splits.train
    classes = _classes(subject)
    return ExportContext(
        name=experiment.name,
        classes=next(iter(classes.values())) if len(train.facts.targets) == len(classes) == 1 else None,
        calibration=lambda count: calibration_samples(train, count, seed=experiment.seed),
        version=__version__,
        data=describe(experiment, train.facts).to_json(),
        config_sha256=_config_sha256(subject.config),
    )


def _classes(subject: Subject) -> dict[str, tuple[str, ...]]:
    """Names of the classes, by the outputs that are classes."""
    targets = subject.splits.train.facts.targets
    return {name: field.classes for name, field in targets.items() if field.classes is not None}


def _make_proof(subject: Subject, context: ExportContext) -> Proof:
    """The model and the samples of the test set; of validation or training where there is none."""
    splits = subject.splits
    inputs, targets = collect(splits.test or splits.validation or splits.train, MOST_SAMPLES)
    ranges = splits.train.facts.ranges
    return make_proof(subject.model, subject.filepath, inputs, targets, data=context.data, ranges=ranges)


def _calibration(subject: Subject, context: ExportContext, names: Sequence[str]) -> Calibration | None:
    """The samples that ranges are taken from, if a file or a step takes any."""
    settings = subject.config.experiment.deploy
    files = {
        name: node.arguments.get("calibration_samples", node.signature["calibration_samples"].default)
        for node, name in zip(settings.export, names, strict=True)
        if node.arguments.get("precision") in CALIBRATED
    }
    files |= {node.class_name: CALIBRATION_SAMPLES for node in settings.compress if node.class_name == "Quantize"}
    if not files:
        return None
    resolved = subject.config.resolved()
    preprocessing = key_of(resolved["model"].get("preprocess"), context.data)
    return Calibration.choose(
        subject.splits.train, files, seed=subject.config.experiment.seed, preprocessing=preprocessing
    )


def _config_sha256(config: Config) -> str:
    """Of all that makes a file what it is, but for the list of files."""
    resolved = config.resolved()
    for unrelated in ("export", "benchmark"):
        resolved["deploy"].pop(unrelated)
    return hashlib.sha256(json.dumps(resolved, sort_keys=True, default=str).encode()).hexdigest()


def _origins(subject: Subject, proof: Proof, compressed: Compressed | None, directory: Path) -> tuple[_Origin, _Origin]:
    """What files are made from, and what those of integers are; a compressed model is saved beside them."""
    key = key_of(installed(ALL_PACKAGES), proof.sha256, fingerprint(subject.splits), proof.samples)
    if compressed is None:
        return (origin := _Origin(subject.model, proof, key)), origin
    filepath = directory / COMPRESSED
    with replace_file(filepath) as temporary:
        compressed.model.save(temporary, save_format="keras")
    against = proof.against(compressed.model, filepath.name)
    own = key_of(key, compressed.key, digest_of(compressed.model))
    plain = _Origin(compressed.model, against, own, compressed.promises)
    if compressed.quantized is None:
        return plain, plain
    quantized, layers = proof.against(compressed.quantized, "Quantize"), compressed.steps[-1].facts["layers"]
    own = key_of(own, digest_of(compressed.quantized))
    return plain, _Origin(compressed.quantized, quantized, own, compressed.promises, layers)


def _with_promises(report: FileReport, filepath: Path, origin: _Origin) -> FileReport:
    """Hold a file to what the steps that made its model have promised."""
    file = open_file(filepath) if origin.promises or origin.layers else filepath
    promises = check_file(read_constants(file), origin.promises) if origin.promises else []
    faults = rounding_faults(file, origin.model, origin.layers) if origin.layers else []
    return with_faults(report, faults, promises)

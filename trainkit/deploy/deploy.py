"""Export a model, and prove every file."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from trainkit import __version__
from trainkit.config import Config, Node, list_overrides
from trainkit.data import Split, describe, fingerprint
from trainkit.deploy.benchmark.deployment import benchmark_deployment
from trainkit.deploy.calibration import Calibration, calibration_samples, check_calibration
from trainkit.deploy.compress import Promise
from trainkit.deploy.compress.constants import read_constants
from trainkit.deploy.compress.keeper import check_file
from trainkit.deploy.compress.kernels import digest_of
from trainkit.deploy.compress.quantize import CALIBRATION_SAMPLES
from trainkit.deploy.compress.rounding import rounding_faults
from trainkit.deploy.compress.steps import Compressed, check_patterns, compress
from trainkit.deploy.compress.store import key_of
from trainkit.deploy.export import EXPORTERS, ExportContext, file_name, label_files, write_labels
from trainkit.deploy.exports import Exports
from trainkit.deploy.islands import check_excluded, is_int8
from trainkit.deploy.page import write_report
from trainkit.deploy.proof import Proof, make_proof
from trainkit.deploy.report import gain_lines, print_report, print_steps
from trainkit.deploy.sensitivity import (
    Explainer,
    Explanation,
    explain_files,
    print_explanation,
    print_islands,
    write_explanation,
)
from trainkit.deploy.subject import COMPRESSED, MODELS, Subject, open_model, open_run
from trainkit.deploy.targets import check_integers
from trainkit.deploy.verify import FileReport, make_record, verify_file, with_faults
from trainkit.errors import ExportError, InputError, OutputError, PromiseError, TrainKitError
from trainkit.objects import build_registered
from trainkit.runs import Run, replace_directory, replace_file, write_json
from trainkit.training.determinism import seed_everything
from trainkit.training.log import SteadyConsole, say
from trainkit.training.record import PACKAGES

REJECTED = "rejected"
CALIBRATED = ("int8", "int16x8")
"""Precisions whose ranges are taken from training samples."""
_PACKAGES = (*PACKAGES, "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert")
MOST_SAMPLES = 10_000
"""Samples that a file is proved on; of a larger test set, the first ones."""
MOST_BYTES = 1_000_000_000
"""Memory that those samples may take: of large images there are fewer."""


@dataclass(frozen=True)
class Deployment:
    """What `deploy` made.

    Args:
        directory: Where the files stand.
        proof: The samples that the files were run on, and the model's answers.
        files: What was measured of each.
        compressed: What the steps of `deploy.compress` have made, if there are any.
        explanation: What integers cost each layer, where an int8 file falls short or it was asked for.
        failures: Why files could not be made; all others were.
    """

    directory: Path
    proof: Proof
    files: tuple[FileReport, ...]
    compressed: Compressed | None = None
    explanation: Explanation | None = None
    failures: tuple[ExportError, ...] = ()


def deploy(
    run: Path | str,
    overrides: Iterable[str] = (),
    *,
    data: Path | str | None = None,
    explain: bool = False,
    console: Console | None = None,
) -> Deployment:
    """Export a model, run every file, and prove that it answers like the model.

    Args:
        run: A run directory, or a directory of runs: the newest; or a .keras or .h5 file that was made elsewhere.
        overrides: `deploy.KEY=VALUE` texts, which win over the run's config.
        data: For a file, the config that names its data.
        explain: Whether to tell what int8 costs each layer, also of a file that is good.
        console: Where the table is shown; standard output by default.

    Returns:
        The files, in `RUN/deploy/`, or beside a `MODEL.keras` in `MODEL_deploy/`.

    Raises:
        RunError: If `run` is no finished run, or its data has changed.
        InputError: If a file is no model, or comes without a config.
        ConfigError: If an override or the config is wrong, or an int8 file would stay in real numbers.
        ExportError: If the model cannot be converted to a format; the files of all others are there.
        PromiseError: If a file does not answer like its model; such files stand in `rejected/`.
    """
    console = console or SteadyConsole()
    overrides = list_overrides(overrides)
    with _open(Path(run), overrides, data, console) as subject:
        names = check_exports(subject.config)
        with subject.config.locating():
            check_excluded(subject.config.experiment.deploy.export, subject.model)
        if explain and not any(map(is_int8, subject.config.experiment.deploy.export)):
            raise InputError("--explain is about int8 files. deploy.export has none: add `TFLite: {precision: int8}`.")
        check_integers(subject.config, subject.model)
        with _telling_stops(subject, overrides, data, console, explain=explain):
            deployment = _export_all(subject, names, console, explain=explain)
    compressed = deployment.compressed
    if compressed is not None:
        print_steps(console, compressed)
    print_report(console, deployment.proof, deployment.files, deployment.directory)
    for line in gain_lines(compressed, deployment.files) if compressed is not None else ():
        say(console, line)
    print_islands(console, deployment.files)
    print_explanation(console, deployment.explanation)
    broken = [file for file in deployment.files if not file.parity.passed]
    if broken:
        told = "\n".join(f"  {file.file}: {file.parity.reason}" for file in broken)
        count = f"{len(broken)} of {len(deployment.files)} files"
        place = deployment.directory / REJECTED
        raise PromiseError(f"{count} are not what they should be, and stand in {place}:\n{told}")
    if deployment.failures:
        raise ExportError(
            "\n".join([*map(str, deployment.failures), f"The other files are in {deployment.directory}."])
        )
    return deployment


def check_exports(config: Config) -> list[str]:
    """The name of each file that a config asks for.

    Raises:
        ConfigError: If two are the same.
    """
    names: list[str] = []
    for index, node in enumerate(config.experiment.deploy.export):
        name = file_name(node.class_name, node.arguments, config.experiment.name)
        if name in names:
            message = f"writes {name}, as deploy.export[{names.index(name)}] does. Remove one of the two."
            raise config.document.error(("deploy", "export", index), message)
        names.append(name)
    return names


def check_deploy(config: Config, model: Any) -> None:
    """Find what `deploy` would refuse of a config.

    Args:
        config: The configuration.
        model: The `tf.keras.Model` that it describes.

    Raises:
        ConfigError: If two files have the same name, or a compression step is for layers that there are not.
    """
    check_exports(config)
    with config.locating():
        check_patterns(config.experiment.deploy.compress, model)
        check_excluded(config.experiment.deploy.export, model)


def _open(
    path: Path, overrides: list[str], data: Path | str | None, console: Console
) -> AbstractContextManager[Subject]:
    if path.suffix in MODELS and not path.is_dir():
        if data is None:
            raise InputError(f"a model made elsewhere needs the config of its data: --data CONFIG. Received: {path}.")
        return open_model(path, data, overrides)
    if data is not None:
        raise InputError(f"--data goes with a model file ({', '.join(MODELS)}): a run has its data. Received: {path}.")
    opened = Run.open(path)
    say(console, f"run: {opened.directory}")
    return open_run(opened, overrides)


@contextmanager
def _telling_stops(
    subject: Subject, overrides: list[str], data: Path | str | None, console: Console, *, explain: bool
) -> Iterator[None]:
    """Tell how to go on after a signal, or once there is room on the disk."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, OutputError) as error:
        if isinstance(error, OutputError):
            error.exit_code = TrainKitError.exit_code  # it is no fault of the input any more
        place = [str(subject.filepath), "--data", str(data)] if data is not None else [str(subject.filepath.parent)]
        code = ["--allow-code"] if subject.config.custom_code else []
        code += ["--explain"] if explain else []
        say(console, f"go on with: {shlex.join(['trainkit', 'deploy', *place, *overrides, *code])}")
        raise


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


def _export_all(subject: Subject, names: list[str], console: Console, *, explain: bool) -> Deployment:
    config, splits = subject.config, subject.splits
    facts = splits.train.facts
    classes = {name: field.classes for name, field in facts.targets.items() if field.classes is not None}
    context = ExportContext(
        name=config.experiment.name,
        classes=next(iter(classes.values())) if len(facts.targets) == len(classes) == 1 else None,
        calibration=lambda count: calibration_samples(splits.train, count, seed=config.experiment.seed),
        version=__version__,
        data=describe(config.experiment, facts).to_json(),
        config_sha256=_config_sha256(config),
    )
    for note in splits.notes:
        say(console, f"note: {note}")
    seed_everything(config.experiment, config.experiment.seed)
    inputs, targets = _collect(splits.test or splits.validation or splits.train)
    ranges = {name: field.value_range for name, field in facts.inputs.items() if field.value_range is not None}
    proof = make_proof(subject.model, subject.filepath, inputs, targets, data=context.data, ranges=ranges)
    calibration = _calibration(subject, context, names)
    if calibration is not None:
        check_calibration(calibration, proof, is_foreign=subject.is_foreign)
    compressed = compress(subject, console) if config.experiment.deploy.compress else None
    exports, reports, failures = Exports(subject.work / "exports"), [], []
    taken = None if calibration is None else calibration.to_json()
    explainer = Explainer(splits, context, seed=config.experiment.seed, console=console)
    with replace_directory(subject.directory) as directory, config.locating():
        plain, quantized = _origins(subject, proof, compressed, directory)
        for node, filename in zip(config.experiment.deploy.export, names, strict=True):
            origin = quantized if node.arguments.get("precision") == "int8" else plain
            try:
                reports.append(_export(node, directory / filename, origin, context, exports, explainer, console))
            except ExportError as error:
                say(console, f"error: {error}")
                failures.append(error)
        if not reports:
            raise ExportError("\n".join(map(str, failures)))
        for output, filename in label_files(classes).items():
            write_labels(directory / filename, classes[output])
        write_json(directory / "verify.json", make_record(proof, reports, calibration=taken))
        if compressed is not None:
            write_json(directory / "compression.json", compressed.to_json())
        pairs = list(zip(config.experiment.deploy.export, reports, strict=True))
        is_after = quantized is not plain
        explanation = explain_files(explainer, pairs, plain.model, is_asked=explain, before_quantize=is_after)
        write_explanation(directory, explanation)
        if config.experiment.deploy.benchmark:
            benchmark_deployment(directory, inputs, subject.model, console)
        write_report(directory, subject=subject, proof=proof)
    exports.clear()
    return Deployment(subject.directory, proof, tuple(reports), compressed, explanation, tuple(failures))


def _calibration(subject: Subject, context: ExportContext, names: list[str]) -> Calibration | None:
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
    key = key_of(_versions(), proof.sha256, fingerprint(subject.splits), proof.samples)
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


def _versions() -> dict[str, str | None]:
    """Of all that makes a file what it is, and that runs it."""
    versions: dict[str, str | None] = {}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


def _export(
    node: Node,
    filepath: Path,
    origin: _Origin,
    context: ExportContext,
    exports: Exports,
    explainer: Explainer,
    console: Console,
) -> FileReport:
    """Export one file and prove it; one that fails is moved where nobody ships it by mistake."""

    def make(path: Path) -> FileReport:
        decision = explainer.decide(node, origin.model)
        build_registered(decision.node, EXPORTERS, {}, model=origin.model, filepath=path, context=context)
        precision = node.arguments.get("precision", "float32")
        report = verify_file(path, precision=precision, proof=origin.proof, islands=decision.islands)
        return _with_promises(decision.told(report), path, origin)

    key = key_of(origin.key, node.class_name, node.arguments, context.to_json(), context.classes)
    report = exports.find(filepath.name, key)
    say(console, f"exporting {filepath.name}" if report is None else f"{filepath.name}, as before")
    report = report or exports.make(filepath.name, key, make)
    directory = filepath.parent if report.parity.passed else filepath.parent / REJECTED
    directory.mkdir(exist_ok=True)
    exports.put(filepath.name, directory)
    if not report.parity.passed:
        exports.drop(filepath.name)
    return report


def _with_promises(report: FileReport, filepath: Path, origin: _Origin) -> FileReport:
    """Hold a file to what the steps that made its model have promised."""
    promises = check_file(read_constants(filepath), origin.promises) if origin.promises else []
    faults = rounding_faults(filepath, origin.model, origin.layers) if origin.layers else []
    return with_faults(report, faults, promises)


def _collect(split: Split) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The inputs and targets of the first samples of a split."""
    most = max(1, min(MOST_SAMPLES, MOST_BYTES // split.sample_bytes))
    return split.first_inputs(most), {name: split.labels(name)[:most] for name in split.facts.targets}

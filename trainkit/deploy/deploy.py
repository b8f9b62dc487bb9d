"""Export a model, and prove every file."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from trainkit import __version__
from trainkit.config import Config, Node, list_overrides
from trainkit.data import Split, describe
from trainkit.deploy.export import EXPORTERS, ExportContext, file_name, write_labels
from trainkit.deploy.report import print_report
from trainkit.deploy.subject import MODELS, Subject, open_model, open_run
from trainkit.deploy.verify import FileReport, Proof, make_proof, verify_file
from trainkit.errors import InputError, PromiseError
from trainkit.inference.preprocess import FILE_NAME
from trainkit.objects import build_registered
from trainkit.runs import Run, replace_directory, write_json
from trainkit.training.log import say

REJECTED = "rejected"
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
    """

    directory: Path
    proof: Proof
    files: tuple[FileReport, ...]


def deploy(
    run: Path | str, overrides: Iterable[str] = (), *, data: Path | str | None = None, console: Console | None = None
) -> Deployment:
    """Export a model, run every file, and prove that it answers like the model.

    Args:
        run: A run directory, or a directory of runs: the newest; or a .keras or .h5 file that was made elsewhere.
        overrides: `deploy.KEY=VALUE` texts, which win over the run's config.
        data: For a file, the config that names its data.
        console: Where the table is shown; standard output by default.

    Returns:
        The files, in `RUN/deploy/`, or beside a `MODEL.keras` in `MODEL_deploy/`.

    Raises:
        RunError: If `run` is no finished run, or its data has changed.
        InputError: If a file is no model, or comes without a config.
        ConfigError: If an override or the config is wrong.
        ExportError: If a model cannot be converted.
        PromiseError: If a file does not answer like its model; such files stand in `rejected/`.
    """
    console = console or Console()
    with _open(Path(run), list_overrides(overrides), data, console) as subject:
        names = check_exports(subject.config)
        deployment = _export_all(subject, names, console)
    print_report(console, deployment.proof, deployment.files, deployment.directory)
    broken = [file for file in deployment.files if not file.parity.passed]
    if broken:
        told = "\n".join(f"  {file.file}: {file.parity.reason}" for file in broken)
        count = f"{len(broken)} of {len(deployment.files)} files"
        place = deployment.directory / REJECTED
        raise PromiseError(f"{count} do not answer like the model, and stand in {place}:\n{told}")
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


def _export_all(subject: Subject, names: list[str], console: Console) -> Deployment:
    config, splits = subject.config, subject.splits
    facts = splits.train.facts
    classes = {name: field.classes for name, field in facts.targets.items() if field.classes is not None}
    context = ExportContext(
        name=config.experiment.name,
        classes=next(iter(classes.values())) if len(facts.targets) == len(classes) == 1 else None,
        calibration=lambda count: calibration_samples(splits.train, count, seed=config.experiment.seed),
        version=__version__,
        data=describe(config.experiment, facts).to_json(),
    )
    for note in splits.notes:
        say(console, f"note: {note}")
    inputs, targets = _collect(splits.test or splits.validation or splits.train)
    proof = make_proof(subject.model, subject.filepath, inputs, targets, data=context.data)
    reports = []
    with replace_directory(subject.directory) as directory, config.locating():
        for node, filename in zip(config.experiment.deploy.export, names, strict=True):
            say(console, f"exporting {filename}")
            reports.append(_export(node, directory / filename, subject, context, proof))
        for output, labels in classes.items():
            write_labels(directory / ("labels.txt" if len(classes) == 1 else f"labels_{output}.txt"), labels)
        write_json(directory / "verify.json", proof.to_json(reports))
    return Deployment(subject.directory, proof, tuple(reports))


def _export(node: Node, filepath: Path, subject: Subject, context: ExportContext, proof: Proof) -> FileReport:
    """Export one file and prove it; one that fails is moved where nobody ships it by mistake."""
    build_registered(node, EXPORTERS, {}, model=subject.model, filepath=filepath, context=context)
    report = verify_file(filepath, precision=node.arguments.get("precision", "float32"), proof=proof)
    if not report.parity.passed:
        rejected = filepath.parent / REJECTED
        rejected.mkdir(exist_ok=True)
        filepath.rename(rejected / filepath.name)
        if (preprocess := filepath.parent / FILE_NAME).exists():
            shutil.copy(preprocess, rejected)  # without it the file takes ids
    return report


def calibration_samples(split: Split, count: int, *, seed: int) -> Iterator[dict[str, np.ndarray]]:
    """Training samples, one a batch, in the order of the first epoch: so of all classes, as they come.

    Where the type of an input tells its range, two values of the first sample become its ends: an integer input then
    has a scale of 1 for bytes, and an app hands over raw pixels, whatever the brightest training image was.
    """
    fields = split.facts.inputs
    batches = split.batches(1, seed=seed).take(min(count, split.size))
    for index, (inputs, _, _) in enumerate(batches.as_numpy_iterator()):
        if index == 0:
            inputs = {name: array.copy() for name, array in inputs.items()}
            for name, array in inputs.items():
                if (ends := fields[name].value_range) is not None:
                    array.flat[0], array.flat[-1] = ends
        yield inputs


def _collect(split: Split) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The inputs and targets of the first samples of a split."""
    sample = sum(4 * math.prod(field.shape) for field in split.facts.inputs.values())
    most = max(1, min(MOST_SAMPLES, MOST_BYTES // sample))
    batches = split.ordered(500).map(lambda inputs, targets, weights: inputs).unbatch().take(most).batch(500)
    collected = list(batches.as_numpy_iterator())
    inputs = {name: np.concatenate([batch[name] for batch in collected]) for name in collected[0]}
    return inputs, {name: split.labels(name)[:most] for name in split.facts.targets}

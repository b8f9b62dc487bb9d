"""Export the model of a run, and prove every file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from trainkit import __version__
from trainkit.config import Config, Node, list_overrides, load_config
from trainkit.data import Split, Splits, fingerprint
from trainkit.deploy.export import EXPORTERS, ExportContext, file_name, write_labels
from trainkit.deploy.report import print_report
from trainkit.deploy.verify import FileReport, Proof, make_proof, verify_file
from trainkit.errors import InputError, PredictionError, PromiseError, RunError
from trainkit.inference.keras import KerasPredictor
from trainkit.objects import build_registered
from trainkit.runs import Run, replace_directory, sha256_of, write_json
from trainkit.training import load_splits
from trainkit.training.log import say

REJECTED = "rejected"
MOST_SAMPLES = 10_000
"""Samples that a file is proved on; of a larger test set, the first ones."""


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


def deploy(run: Path | str, overrides: Iterable[str] = (), *, console: Console | None = None) -> Deployment:
    """Export the model of a run, run every file, and prove that it answers like the model.

    Args:
        run: A run directory, or a directory of runs: the newest.
        overrides: `deploy.KEY=VALUE` texts, which win over the run's config.
        console: Where the table is shown; standard output by default.

    Returns:
        The files, in `RUN/deploy/`.

    Raises:
        RunError: If `run` is no finished run, or its data has changed.
        ConfigError: If an override is wrong.
        ExportError: If a model cannot be converted.
        PromiseError: If a file does not answer like its model; such files stand in `deploy/rejected/`.
    """
    console = console or Console()
    opened = Run.open(run)
    say(console, f"run: {opened.directory}")
    config = _load_config(opened, list_overrides(overrides))
    names = check_exports(config)
    with opened.lock():
        splits = load_splits(config)
        _check_data(opened, splits)
        model = _load_model(opened)
        deployment = _export_all(opened, config, names, splits, model, console)
    print_report(console, deployment.proof, deployment.files, deployment.directory)
    broken = [file for file in deployment.files if not file.parity.passed]
    if broken:
        told = "\n".join(f"  {file.file}: {file.parity.reason}" for file in broken)
        count = f"{len(broken)} of {len(deployment.files)} files"
        raise PromiseError(f"{count} do not answer like the model, and stand in {opened.deploy / REJECTED}:\n{told}")
    return deployment


def _load_config(run: Run, overrides: list[str]) -> Config:
    for override in overrides:
        if not override.startswith("deploy."):
            raise InputError(
                f"deploy takes overrides of `deploy.` keys only: the rest is trained. Received: {override!r}."
            )
    return load_config(run.resolved, overrides)


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


def _check_data(run: Run, splits: Splits) -> None:
    if fingerprint(splits) != run.read_manifest().get("data", {}).get("fingerprint"):
        raise RunError(f"{run.directory} was trained on other data: the files that its config names have changed.")


def _load_model(run: Run) -> Any:
    """The model that the training has saved, and no other."""
    if sha256_of(run.model) != run.read_manifest().get("model_sha256"):
        raise RunError(f"{run.model} is not the model that this run has trained: it is damaged, or was exchanged.")
    try:
        return KerasPredictor(run.model).model
    except PredictionError as error:
        raise RunError(f"{run.directory} is damaged: {error}") from error


def _export_all(run: Run, config: Config, names: list[str], splits: Splits, model: Any, console: Console) -> Deployment:
    name = config.experiment.name
    context = ExportContext(
        name=name,
        classes=splits.train.facts.classes,
        calibration=lambda count: calibration_samples(splits.train, count, seed=config.experiment.seed),
        version=__version__,
    )
    proof = make_proof(model, run.model, *_collect(splits.test or splits.validation or splits.train))
    reports = []
    with replace_directory(run.deploy) as directory, config.locating():
        for node, filename in zip(config.experiment.deploy.export, names, strict=True):
            say(console, f"exporting {filename}")
            reports.append(_export(node, directory / filename, model, context, proof))
        if context.classes:
            write_labels(directory / "labels.txt", context.classes)
        write_json(directory / "verify.json", proof.to_json(reports))
    return Deployment(run.deploy, proof, tuple(reports))


def _export(node: Node, filepath: Path, model: Any, context: ExportContext, proof: Proof) -> FileReport:
    """Export one file and prove it; one that fails is moved where nobody ships it by mistake."""
    build_registered(node, EXPORTERS, {}, model=model, filepath=filepath, context=context)
    report = verify_file(filepath, precision=node.arguments.get("precision", "float32"), proof=proof)
    if not report.parity.passed:
        rejected = filepath.parent / REJECTED
        rejected.mkdir(exist_ok=True)
        filepath.rename(rejected / filepath.name)
    return report


def calibration_samples(split: Split, count: int, *, seed: int) -> Iterator[dict[str, np.ndarray]]:
    """Training samples, one a batch, in the order of the first epoch: so of all classes, as they come.

    Where the type of an input tells its range, two values of the first sample become its ends: an integer input then
    has a scale of 1 for bytes, and an app hands over raw pixels, whatever the brightest training image was.
    """
    batches = split.batches(1, seed=seed).take(min(count, split.size))
    for index, (inputs, _, _) in enumerate(batches.as_numpy_iterator()):
        if index == 0 and split.facts.input_range is not None:
            inputs = {name: array.copy() for name, array in inputs.items()}
            for array in inputs.values():
                array.flat[0], array.flat[-1] = split.facts.input_range
        yield inputs


def _collect(split: Split) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The inputs and labels of the first samples of a split."""
    batches = split.ordered(500).map(lambda inputs, targets, weights: inputs).unbatch().take(MOST_SAMPLES).batch(500)
    collected = list(batches.as_numpy_iterator())
    inputs = {name: np.concatenate([batch[name] for batch in collected]) for name in collected[0]}
    return inputs, split.labels()[:MOST_SAMPLES]

"""All that the page and the model card tell, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainkit.deploy.page.answered import Answered
from trainkit.deploy.page.compression import CompressionFacts, read_compression
from trainkit.deploy.page.data import DataFacts, describe_data
from trainkit.deploy.page.files import FileFacts, interval_of, read_failed, read_files
from trainkit.deploy.page.latency import LatencyFacts, read_latency
from trainkit.deploy.page.limits import limits_of
from trainkit.deploy.page.mistakes import Mistakes, find_mistakes
from trainkit.deploy.page.network import NetworkFacts, describe_network
from trainkit.deploy.page.origin import Origin, describe_origin, run_of
from trainkit.deploy.page.quality import Quality, logged_metrics, measure_quality, role_of
from trainkit.deploy.page.records import part_of, read_record
from trainkit.deploy.page.sensitivity import SensitivityFacts, read_sensitivity
from trainkit.deploy.page.summary import Choice, Tile, choose_file, tiles_of
from trainkit.deploy.page.training import TrainingFacts, describe_training
from trainkit.deploy.subject import Subject
from trainkit.errors import counted
from trainkit.inference.preprocess import FILE_NAME
from trainkit.models.weights import weight_bytes


@dataclass(frozen=True)
class ModelFacts:
    """The trained model on the samples that the files are proved on.

    Args:
        bytes: Of its weights.
        accuracy: Share of right answers; None where no output is a class.
        interval: The 95% interval of that.
        rmse: By output that is numbers.
    """

    bytes: int
    accuracy: float | None
    interval: tuple[float, float] | None
    rmse: Mapping[str, float]


@dataclass(frozen=True)
class Facts:
    """All that is known; what is None or empty is left out.

    Args:
        origin: Where the model comes from.
        model: The trained model beside its files.
        data: What it was trained on.
        network: What it is; None where it cannot be read.
        parameters: How many weights it has.
        training: How the training went; None of a model made elsewhere.
        metrics: Loss and metrics by name and part of the data.
        quality: How right each output is.
        mistakes: The worst of each output.
        role: The part of the data that files are proved on.
        samples: How many of its samples.
        compression: What the compression steps did.
        files: What was measured of each file.
        failed: The files that could not be made: name and reason.
        choice: The file that is recommended.
        tiles: What is said first.
        calibration: Which samples the ranges of integers came from, as `verify.json` has it.
        sensitivity: What int8 costs layer by layer.
        latency: How fast the files are.
        about: What `verify.json` says of inputs and outputs.
        preprocess: What `preprocess.json` holds.
    """

    origin: Origin
    model: ModelFacts
    data: DataFacts
    network: NetworkFacts | None
    parameters: int
    training: TrainingFacts | None
    metrics: Mapping[str, Mapping[str, float]]
    quality: tuple[Quality, ...]
    mistakes: tuple[Mistakes, ...]
    role: str
    samples: int
    compression: CompressionFacts | None
    files: tuple[FileFacts, ...]
    failed: tuple[tuple[str, str], ...]
    choice: Choice
    tiles: tuple[Tile, ...]
    calibration: Any
    sensitivity: SensitivityFacts | None
    latency: LatencyFacts | None
    about: Mapping[str, Any]
    preprocess: Mapping[str, Any]

    @property
    def lead(self) -> str:
        """What it is, in a sentence."""
        train = self.data.samples["train"]
        kinds = [_kind(output.name, output.classes) for output in self.data.outputs]
        layers = f"{counted(self.network.layers, 'layer')} and " if self.network else ""
        size = f"{layers}{counted(self.parameters, 'parameter')}"
        trained = f"trained on {counted(train, 'sample')}" if self.origin.is_run else "made elsewhere"
        return f"A network of {size}, {trained}, that gives {' and '.join(kinds)}."

    @property
    def rejected(self) -> list[FileFacts]:
        """The files that do not answer like their model."""
        return [file for file in self.files if not file.passed]

    @property
    def probes(self) -> list[str]:
        """The names of the probes, as the files have them."""
        return list(dict.fromkeys(probe.name for file in self.files for probe in file.probes))

    @property
    def margins(self) -> dict[str, float]:
        """The lead from which answers of files of integers are judged, by precision."""
        return {file.precision: file.least_margin for file in self.files if file.least_margin is not None}

    @property
    def most_bytes(self) -> int:
        """Of the largest file, or of the model's weights."""
        return max([self.model.bytes, *(file.bytes for file in self.files)])

    @property
    def accuracy_ends(self) -> tuple[float, float]:
        """From the lowest to the highest end of an interval."""
        known = [end for end in (self.model.interval, *(file.interval for file in self.files)) if end]
        return (min(low for low, _ in known), max(high for _, high in known)) if known else (0.0, 1.0)

    @property
    def has_images(self) -> bool:
        """Whether an input is made of an image."""
        return any("image" in entry for entry in part_of(self.about, "inputs").values())

    def given_of(self, name: str) -> str:
        """What an app gives an input."""
        return next((one.given for one in self.data.inputs if one.name == name), "")

    @property
    def limits(self) -> list[str]:
        """What the figures do not say."""
        return list(limits_of(self.files, self.quality, self.latency, role=self.role, samples=self.samples))


def _kind(name: str, classes: tuple[str, ...] | None) -> str:
    if classes is None:
        return f"“{name}” (numbers)"
    return f"“{name}” (one of {counted(len(classes), 'class', 'classes')})"


def collect(directory: Path, *, subject: Subject, proof: Answered) -> Facts:
    """Read all that is known.

    Args:
        directory: Where the exported files and their records stand.
        subject: What is deployed.
        proof: The samples, and the answers of the model that was trained.
    """
    run, verified = run_of(subject), read_record(directory / "verify.json")
    files, failed = read_files(verified), read_failed(verified)
    latency = read_latency(read_record(directory / "benchmark.json"))
    quality, choice = measure_quality(subject, proof, run), choose_file(files)
    role, size = role_of(subject), weight_bytes(subject.model.weights)
    return Facts(
        origin=describe_origin(subject, sha256=proof.sha256),
        model=_model(proof, size),
        data=describe_data(subject, proof.data),
        network=describe_network(subject),
        parameters=subject.model.count_params(),
        training=describe_training(subject, run) if run else None,
        metrics=logged_metrics(run),
        quality=quality,
        mistakes=find_mistakes(proof, subject.splits.present[role]),
        role=role,
        samples=proof.samples,
        compression=read_compression(read_record(directory / "compression.json")),
        files=files,
        failed=failed,
        choice=choice,
        tiles=tiles_of(files, quality, choice, latency, failed=len(failed), model_bytes=size),
        calibration=verified.get("calibration"),
        sensitivity=read_sensitivity(read_record(directory / "sensitivity.json")),
        latency=latency,
        about=proof.data,
        preprocess=read_record(directory / FILE_NAME),
    )


def _model(proof: Answered, size: int) -> ModelFacts:
    share, outputs = proof.of_model
    return ModelFacts(
        size,
        share,
        interval_of(share, proof.samples, outputs),
        {name: one["rmse"] for name, one in outputs.items() if "rmse" in one},
    )

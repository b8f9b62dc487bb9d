"""What was measured of each exported file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.deploy.page.interval import wilson
from trainkit.deploy.page.records import entries_of, number_of, part_of
from trainkit.deploy.parity import DECISIVE_MARGINS
from trainkit.deploy.subject import REJECTED
from trainkit.errors import counted

FORMATS = {".tflite": "TensorFlow Lite", ".onnx": "ONNX", ".keras": "Keras 3", ".tkz": "TrainKit"}


@dataclass(frozen=True)
class ParityRow:
    """What was expected of an output of a file, and what was found.

    Args:
        output: Its name; empty where there is only one.
        passed: Whether it answers like the model.
        reason: A sentence.
        limit: What the largest difference may be.
        largest: Largest difference.
        rmse: Of numbers.
        rmse_limit: What it may be.
        decisive: Answers that are judged.
        changed: Those that changed.
        allowed: How many may.
        floor: How many the model changes by itself, moved by half a step; None where that was not asked.
        agreement: Share of equal answers.
    """

    output: str
    passed: bool
    reason: str
    limit: float | None
    largest: float | None
    rmse: float | None
    rmse_limit: float | None
    decisive: int
    changed: int
    allowed: int
    floor: int | None
    agreement: float | None


@dataclass(frozen=True)
class Probe:
    """Inputs that no data set has, and what became of them."""

    name: str
    samples: int
    passed: bool
    reason: str


@dataclass(frozen=True)
class FileFacts:
    """What was measured of a file.

    Args:
        name: Its name.
        format: `TensorFlow Lite`, `ONNX`, `Keras 3` or `SavedModel`.
        precision: Of its numbers.
        bytes: Its size.
        gzip_bytes: After gzip.
        sha256: Of its content.
        passed: Whether it answers like its model.
        reason: A sentence.
        samples: That it was proved on.
        accuracy: Share of right answers.
        interval: The 95% interval of that.
        drop_points: Accuracy lost, in points.
        agreement: Share of answers that are equal to the model's.
        rmse: By output that is numbers.
        parity: For each output.
        made_from: The model that it is compared with.
        promises_kept: Of compression steps.
        promises: How many there are.
        probes: What else it was tried on.
        islands: The layers of an int8 file that compute with real numbers, as that was asked for.
        facts: What it tells of itself: inputs, outputs.
    """

    name: str
    format: str
    precision: str
    bytes: int
    gzip_bytes: int
    sha256: str
    passed: bool
    reason: str
    samples: int
    accuracy: float | None
    interval: tuple[float, float] | None
    drop_points: float | None
    agreement: float | None
    rmse: Mapping[str, float]
    parity: tuple[ParityRow, ...]
    made_from: str
    promises_kept: int
    promises: int
    probes: tuple[Probe, ...]
    islands: tuple[str, ...]
    facts: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Where it stands below the directory of the page."""
        return self.name if self.passed else f"{REJECTED}/{self.name}"

    @property
    def drop_text(self) -> str:
        """Its accuracy beside that of the trained model."""
        points = self.drop_points or 0.0
        if round(points, 2) == 0:
            return "as accurate as the trained model"
        kind = "less" if points > 0 else "more"
        return f"{abs(points):.2f} points {kind} than the trained model ({counted(abs(self.fewer), 'sample')})"

    @property
    def is_integers(self) -> bool:
        """Whether it computes with integers, at least in the main."""
        return self.precision in DECISIVE_MARGINS

    @property
    def least_margin(self) -> float | None:
        """The lead from which answers of a file of integers are judged; None where none were."""
        return (
            DECISIVE_MARGINS[self.precision] if self.is_integers and any(row.decisive for row in self.parity) else None
        )

    @property
    def arithmetic(self) -> str:
        """How a file of integers computes."""
        if self.islands:
            return f"computes with integers, but for {', '.join(self.islands)}"
        if real := self.facts.get("float_operations"):
            return f"computes with integers, but for {counted(len(real), 'operation')} on real numbers"
        return "computes with integers only"

    @property
    def operations(self) -> str:
        """What an app needs to run it, and how much of it a GPU takes; nothing of what is no .tflite."""
        gpu = part_of(self.facts, "gpu")
        if not gpu:
            return ""
        foreign = ", ".join(map(str, self.facts.get("foreign") or ()))
        own = f"needs more than TensorFlow Lite: {foreign}" if foreign else "needs nothing but TensorFlow Lite"
        refused = "; ".join(map(str, gpu.get("refused") or ()))
        taken = f"the GPU delegate would take {gpu.get('taken')} of {gpu.get('operations')} operations"
        return f"{own}; {taken}{f': not {refused}' if refused else ''}"

    def probe(self, name: str) -> Probe | None:
        """What became of a probe; None where this file had no such one."""
        return next((probe for probe in self.probes if probe.name == name), None)

    @property
    def breaks_promises(self) -> bool:
        """Whether a promise does not hold in it."""
        return self.promises_kept < self.promises

    @property
    def fewer(self) -> int:
        """How many samples fewer it answers rightly."""
        return round((self.drop_points or 0.0) * self.samples / 100)


def read_files(verified: Mapping[str, Any]) -> tuple[FileFacts, ...]:
    """The files of a `verify.json`."""
    return tuple(_read(entry) for entry in entries_of(verified, "files"))


def read_failed(verified: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The files of a `verify.json` that could not be made: name and reason."""
    return tuple((str(one.get("file", "")), str(one.get("reason", ""))) for one in entries_of(verified, "failed"))


def _read(entry: Mapping[str, Any]) -> FileFacts:
    name, parity = str(entry.get("file", "")), part_of(entry, "parity")
    share, samples = number_of(entry.get("accuracy")), int(number_of(parity.get("samples")) or 0)
    promises, outputs = entries_of(entry, "promises"), part_of(entry, "outputs")
    return FileFacts(
        name=name,
        format=next((told for suffix, told in FORMATS.items() if name.endswith(suffix)), "SavedModel"),
        precision=str(entry.get("precision", "")),
        bytes=int(entry.get("bytes", 0)),
        gzip_bytes=int(entry.get("gzip_bytes", 0)),
        sha256=str(entry.get("sha256", "")),
        passed=bool(parity.get("passed")),
        reason=str(parity.get("reason", "")),
        samples=samples,
        accuracy=share,
        interval=interval_of(share, samples, outputs),
        drop_points=number_of(entry.get("drop_points")),
        agreement=number_of(parity.get("agreement")),
        rmse={output: one["rmse"] for output, one in outputs.items() if "rmse" in one},
        parity=tuple(_parity(parity)),
        made_from=str(entry.get("made_from", "")),
        promises_kept=sum(bool(one.get("holds")) for one in promises),
        promises=len(promises),
        probes=tuple(map(_probe, entries_of(entry, "probes"))),
        islands=tuple(map(str, part_of(entry, "islands").get("exclude") or ())),
        facts=part_of(entry, "facts"),
    )


def interval_of(share: float | None, samples: int, outputs: Mapping[str, Any]) -> tuple[float, float] | None:
    """The 95% interval of an accuracy; None where it is a mean of several, or of the parts of images."""
    classes = [one for one in outputs.values() if "accuracy" in one]
    return None if share is None or len(classes) > 1 or "mean_iou" in classes[0] else wilson(share, samples)


def _probe(entry: Mapping[str, Any]) -> Probe:
    return Probe(
        name=str(entry.get("name", "")),
        samples=int(number_of(entry.get("samples")) or 0),
        passed=bool(entry.get("passed")),
        reason=str(entry.get("reason", "")),
    )


def _parity(parity: Mapping[str, Any]) -> Iterator[ParityRow]:
    outputs = part_of(parity, "outputs")
    for output, one in outputs.items() or [("", parity)]:
        yield ParityRow(
            output=str(output),
            passed=bool(one.get("passed")),
            reason=str(one.get("reason", "")),
            limit=number_of(one.get("limit")),
            largest=number_of(one.get("largest_difference")),
            rmse=number_of(one.get("rmse")),
            rmse_limit=number_of(one.get("rmse_limit")),
            decisive=int(one.get("decisive") or 0),
            changed=int(one.get("changed") or 0),
            allowed=int(one.get("allowed") or 0),
            floor=None if (floor := number_of(one.get("floor"))) is None else int(floor),
            agreement=number_of(one.get("agreement")),
        )

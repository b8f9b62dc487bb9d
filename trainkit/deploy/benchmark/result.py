"""What a benchmark has found, and how it is written down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trainkit.deploy.benchmark.energy import Energy
from trainkit.deploy.benchmark.statistics import Timing
from trainkit.errors import InputError, PredictionError

VERSION = 1


@dataclass(frozen=True)
class Start:
    """How a file starts, with so many threads.

    Args:
        threads: That its runtime may use.
        load_us: Microseconds to open it; its bytes are in the system's memory already.
        first_us: Microseconds of the first inference, batch 1, or the batch that the file takes.
        peak_bytes: By batch, how much its process has grown at most since the runtime was imported; None where the
            system does not tell.
    """

    threads: int
    load_us: float
    first_us: float
    peak_bytes: Mapping[str, int | None]


@dataclass(frozen=True)
class Operations:
    """The time of each operation, batch 1.

    Args:
        operations: In their order: `operation`, `layer` (nothing where it is of none), `kernel`, mean `us`.
        layers: Keras layer to microseconds, the sum of its operations.
        threads: That were used.
        runs: That were profiled.
        undelegated: The operations that XNNPACK has not taken; None where that is not known.
        note: What has to be known of the figures, or why there are none.
    """

    operations: tuple[Mapping[str, Any], ...]
    layers: Mapping[str, float]
    threads: int
    runs: int
    undelegated: tuple[str, ...] | None = None
    note: str = ""


@dataclass(frozen=True)
class Estimates:
    """What was counted or estimated, not measured.

    Args:
        macs: Multiply-accumulates of a sample, as the Keras model has them.
        weight_bytes: Of the constants in the file.
        arithmetic: The type that most of the weights have; energy is counted in it.
        energy: None where the MACs are not known.
    """

    macs: int | None
    weight_bytes: int
    arithmetic: str
    energy: Energy | None


@dataclass(frozen=True)
class FileResult:
    """What was found of one file.

    Args:
        file: Its name.
        runtime: What runs it.
        bytes: On the disk.
        sha256: Of its content.
        inputs: Where its inputs come from.
        timings: By threads and batch.
        starts: By threads.
        operations: By operation and layer, if that was asked for.
        estimates: None where the file could not be opened.
        facts: What the runtime tells: `weights`, `operations` by kind, `delegates`.
        notes: What could not be measured, and why.
        error: Why nothing was measured, or nothing more; else nothing.
    """

    file: str
    runtime: str
    bytes: int
    sha256: str
    inputs: str
    timings: tuple[Timing, ...] = ()
    starts: tuple[Start, ...] = ()
    operations: Operations | None = None
    estimates: Estimates | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str = ""

    def timing(self, threads: int, batch: int) -> Timing | None:
        """With so many threads, of so many samples at once."""
        return next((one for one in self.timings if (one.threads, one.batch) == (threads, batch)), None)


@dataclass(frozen=True)
class Benchmark:
    """What was found of all files.

    Args:
        machine: See `describe_machine`.
        versions: See `describe_versions`.
        settings: `batch`, `threads`, `seconds` and `rounds`.
        reference: The fixed piece of work that was timed in the same rounds.
        files: One each.
        notes: What makes the figures doubtful.
    """

    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    reference: Timing
    files: tuple[FileResult, ...]
    notes: tuple[str, ...] = ()

    def check_timed(self) -> None:
        """Fail where a file could not be timed.

        Raises:
            PredictionError: With each such file and why.
        """
        failed = [file for file in self.files if file.error]
        if failed:
            told = "\n".join(f"  {file.error}" for file in failed)
            raise PredictionError(f"{len(failed)} of {len(self.files)} files could not be timed:\n{told}")

    def to_json(self) -> dict[str, Any]:
        """What is written down; times in microseconds."""
        return {"version": VERSION, **asdict(self)}


@dataclass(frozen=True)
class Earlier:
    """What a comparison needs of an earlier result."""

    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    reference: Timing
    timings: Mapping[tuple[str, int, int], Timing]
    """By file, threads and batch."""
    inputs: Mapping[str, str]


def read_earlier(filepath: Path) -> Earlier:
    """Read a result that was written down.

    Raises:
        InputError: If it cannot be read, or is none.
    """
    try:
        values = json.loads(filepath.read_text(encoding="utf-8"))
        if values["version"] != VERSION:
            raise ValueError(f"its version is {values['version']!r}")
        timings = [(file["file"], Timing.from_json(one)) for file in values["files"] for one in file["timings"]]
        return Earlier(
            values["machine"],
            values["versions"],
            Timing.from_json(values["reference"]),
            {(name, timing.threads, timing.batch): timing for name, timing in timings},
            {file["file"]: file["inputs"] for file in values["files"]},
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        rule = f"`against` must be a .json file that `trainkit benchmark --output` wrote, version {VERSION}"
        raise InputError(f"{rule}. Received: {str(filepath)!r}: {reason}.") from error

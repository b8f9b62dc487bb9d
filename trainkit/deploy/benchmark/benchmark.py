"""Time model files side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.deploy.benchmark.candidates import Candidate, find_candidates, total_bytes
from trainkit.deploy.benchmark.energy import MULTIPLY_PJ, estimate_energy
from trainkit.deploy.benchmark.given import Given, fit_names, made_up, samples_of
from trainkit.deploy.benchmark.lanes import WARM_SECONDS, Give, Lane, measure_in_turns
from trainkit.deploy.benchmark.machine import (
    describe_machine,
    describe_versions,
    load_average,
    time_reference,
    usable_cores,
)
from trainkit.deploy.benchmark.result import Benchmark, Estimates, FileResult, Operations
from trainkit.deploy.benchmark.statistics import summarize
from trainkit.errors import InputError, TrainKitError
from trainkit.inference.predictor import TensorFacts
from trainkit.inference.timing import TimedProcess
from trainkit.inference.timing.process import TIMEOUT
from trainkit.runs import Run, files_of, sha256_of

PROFILE_SECONDS = 0.5
PROFILED = (".tflite", ".onnx")
"""Formats whose runtime tells the time of each operation."""


@dataclass(frozen=True)
class Plan:
    """How files are timed.

    Args:
        batch: Samples that go in at once, besides 1.
        threads: How many a runtime may use; one process each. By default 1 and all cores.
        seconds: That each file is timed at each size of batch and number of threads.
        rounds: Slices of that, in which the files take turns.
        operations: Whether each operation is timed, too.
        timeout: Seconds that opening a file, or one run, may take.

    Raises:
        InputError: If a number is out of range.
    """

    batch: int = 32
    threads: tuple[int, ...] = ()
    seconds: float = 2.0
    rounds: int = 10
    operations: bool = True
    timeout: float = TIMEOUT

    def __post_init__(self) -> None:
        for name, least in {"batch": 1, "rounds": 1}.items():
            if getattr(self, name) < least:
                raise InputError(f"`{name}` must be at least {least}. Received: {name}={getattr(self, name)!r}.")
        for name in ("seconds", "timeout"):
            if not getattr(self, name) > 0:
                raise InputError(f"`{name}` must be more than 0. Received: {name}={getattr(self, name)!r}.")
        if any(count < 1 for count in self.threads):
            raise InputError(f"`threads` must be numbers of at least 1. Received: threads={self.threads!r}.")

    @property
    def batches(self) -> list[int]:
        """The sizes of batch."""
        return list(dict.fromkeys([1, self.batch]))

    @property
    def thread_counts(self) -> list[int]:
        """The numbers of threads."""
        return list(dict.fromkeys(self.threads or (1, usable_cores())))

    def to_json(self) -> dict[str, Any]:
        """What a result tells of it."""
        return asdict(self) | {"threads": self.thread_counts}


def benchmark(
    *paths: Path | str,
    batch: int = 32,
    threads: Sequence[int] = (),
    seconds: float = 2.0,
    rounds: int = 10,
    operations: bool = True,
) -> Benchmark:
    """Time model files side by side, each in a process of its own.

    Args:
        paths: .tflite, .onnx, .keras and .h5 files and directories of SavedModels; runs and directories of runs, which
            stand for their model and the files in `deploy/`.
        batch: Samples that go in at once, besides 1.
        threads: How many a runtime may use; one process each. By default 1 and all cores.
        seconds: That each file is timed at each size of batch and number of threads.
        rounds: Slices of that, in which the files take turns.
        operations: Whether each operation is timed, too.

    Returns:
        What was found of each; a file that cannot be timed has an `error`, the others go on.

    Raises:
        InputError: If there is no such file, it is no model, or a number is out of range.
        RunError: If a directory is no finished run.

    Example:
        ```python
        result = trainkit.benchmark("runs/digits", batch=8, threads=[1])
        fastest = min(result.files, key=lambda file: file.timings[0].p50_us)
        ```
    """
    plan = Plan(batch=batch, threads=tuple(threads), seconds=seconds, rounds=rounds, operations=operations)
    return benchmark_files(find_candidates(paths), plan, give=_Samples(plan.batch))


def benchmark_files(
    candidates: Sequence[Candidate],
    plan: Plan,
    *,
    give: Give,
    macs: int | None = None,
    process: Callable[[Path], TimedProcess] = TimedProcess,
) -> Benchmark:
    """Time files that were found, with samples that are known.

    Args:
        candidates: The files.
        plan: How they are timed.
        give: Samples for each.
        macs: Multiply-accumulates of a sample, where they are known; else a Keras model among the files tells.
        process: Starts a process for a file.
    """
    profiled = [one for one in candidates if plan.operations and one.filepath.suffix in PROFILED]
    with (
        _lanes(candidates, plan.thread_counts, plan, process) as lanes,
        _lanes(profiled, plan.thread_counts[:1], plan, process) as profilers,
    ):
        for lane in (*lanes, *profilers):
            lane.wait()
        for lane in lanes:
            lane.start(plan.batches, give, warm_seconds=min(WARM_SECONDS, plan.seconds / plan.rounds))
        batches = sorted({batch for lane in lanes for batch in lane.rounds})
        reference = measure_in_turns(lanes, batches, rounds=plan.rounds, seconds=plan.seconds, reference=time_reference)
        timed = [one for one in candidates if _is_timed(one, lanes)]
        profiles = _profiles(timed, profilers, plan, give) if plan.operations else {}
    own: dict[Candidate, int] = {lane.candidate: lane.facts["macs"] for lane in lanes if lane.facts.get("macs")}
    files = []
    for candidate in candidates:
        counted = macs or _macs_for(candidate, own)
        files.append(
            _result(candidate, [x for x in lanes if x.candidate is candidate], counted, profiles.get(candidate))
        )
    work = summarize(reference, threads=1, batch=1)
    return Benchmark(describe_machine(), describe_versions(), plan.to_json(), work, tuple(files), tuple(_doubts()))


@contextmanager
def _lanes(
    candidates: Sequence[Candidate], threads: Sequence[int], plan: Plan, process: Callable[[Path], TimedProcess]
) -> Iterator[list[Lane]]:
    """A process for each file and number of threads; they import their runtimes side by side."""
    lanes: list[Lane] = []
    try:
        for candidate in candidates:
            for count in threads:
                lanes.append(Lane(candidate, count, process(candidate.filepath), timeout=plan.timeout))
        yield lanes
    finally:
        for lane in lanes:
            lane.close()


def _is_timed(candidate: Candidate, lanes: Sequence[Lane]) -> bool:
    return any(lane.candidate is candidate and lane.timings for lane in lanes)


def _profiles(
    timed: Sequence[Candidate], profilers: Sequence[Lane], plan: Plan, give: Give
) -> dict[Candidate, Operations]:
    """The time of each operation of files that were timed; in processes of their own, as a profiler may fail."""
    seconds = min(PROFILE_SECONDS, plan.seconds / 2)
    told = {lane.candidate: lane.profile(give, seconds=seconds) for lane in profilers if lane.candidate in timed}
    none = {"operations": [], "runs": 0, "note": "TensorFlow's own profiler is not read"}
    return {one: _operations(told.get(one, none), plan.thread_counts[0]) for one in timed}


def _operations(told: Mapping[str, Any], threads: int) -> Operations:
    layers: dict[str, float] = {}
    for one in told["operations"]:
        layers[one["layer"]] = layers.get(one["layer"], 0.0) + one["us"]
    undelegated = told.get("undelegated")
    return Operations(
        operations=tuple(told["operations"]),
        layers=layers,
        threads=threads,
        runs=told["runs"],
        undelegated=None if undelegated is None else tuple(undelegated),
        note=told.get("note", ""),
    )


def _macs_for(candidate: Candidate, own: Mapping[Candidate, int]) -> int | None:
    """Those of the Keras model of the same run; of the only one, for files that belong to none."""
    if candidate in own:
        return own[candidate]
    same = [macs for one, macs in own.items() if _directory(one) == _directory(candidate)]
    return same[0] if len(same) == 1 else None


def _directory(candidate: Candidate) -> Path | None:
    return candidate.run.directory.absolute() if candidate.run is not None else None


def _result(candidate: Candidate, lanes: Sequence[Lane], macs: int | None, operations: Operations | None) -> FileResult:
    first = next((lane for lane in lanes if lane.timings), lanes[0])
    notes = dict.fromkeys(note for lane in lanes for note in lane.notes)
    errors = dict.fromkeys(lane.error for lane in lanes if lane.error)
    return FileResult(
        file=candidate.label,
        runtime=first.runtime,
        bytes=total_bytes(files_of(candidate.filepath)),
        sha256=sha256_of(candidate.filepath),
        inputs=first.origin,
        timings=tuple(timing for lane in lanes for timing in lane.timings),
        starts=tuple(lane.result_of_start for lane in lanes if lane.result_of_start is not None),
        operations=operations,
        estimates=_estimates(first.facts, macs) if "weights" in first.facts else None,
        facts={key: value for key, value in first.facts.items() if key != "macs"},
        notes=tuple(notes),
        error=" ".join(errors),
    )


def _estimates(facts: Mapping[str, Any], macs: int | None) -> Estimates:
    weights: Mapping[str, int] = facts["weights"]
    known = {dtype: size for dtype, size in weights.items() if dtype in MULTIPLY_PJ}
    arithmetic = max(known, key=lambda dtype: known[dtype], default="float32")
    if arithmetic == "float16":  # which processors turn into float32 before they compute
        arithmetic = "float32"
    total = sum(weights.values())
    energy = None if macs is None else estimate_energy(macs, total, arithmetic=arithmetic)
    return Estimates(macs, total, arithmetic, energy)


def _doubts() -> Iterator[str]:
    load, cores = load_average(), usable_cores()
    if load is not None and load > cores + 1:  # the benchmark itself keeps one busy
        yield f"the machine was busy with other work: {load:.1f} processes on average wanted its {cores} cores"


class _Samples:
    """Samples for files: those of their run, read once, or made up."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._read: dict[Path, Given | str] = {}

    def __call__(self, candidate: Candidate, inputs: Mapping[str, TensorFacts], count: int) -> Given:
        told = self._of(candidate.run) if candidate.run is not None else ""
        given = fit_names(told, inputs) if isinstance(told, Given) else None
        if given is not None:
            return given
        made = made_up(candidate.filepath, inputs, max(count, self._batch), run=candidate.run)
        return Given(made.arrays, f"{made.origin}; {told}" if isinstance(told, str) and told else made.origin)

    def _of(self, run: Run) -> Given | str:
        """The samples of a run, or why there are none."""
        if run.directory not in self._read:
            try:
                self._read[run.directory] = samples_of(run, self._batch)
            except (TrainKitError, OSError) as error:
                self._read[run.directory] = f"the data of {run.directory} cannot be read: {error}"
        return self._read[run.directory]


def given_samples(arrays: Mapping[str, np.ndarray], origin: str) -> Give:
    """Samples that are at hand, for every file that takes them."""
    given = Given(arrays, origin, raw=True)

    def give(candidate: Candidate, inputs: Mapping[str, TensorFacts], count: int) -> Given:
        return fit_names(given, inputs) or made_up(candidate.filepath, inputs, count)

    return give

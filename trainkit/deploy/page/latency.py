"""How fast the files are, as `benchmark.json` has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.deploy.page.records import entries_of, number_of, part_of

MOST_LAYERS = 12
"""Of more layers, those that take most of the time are shown."""


@dataclass(frozen=True)
class Timing:
    """How long one file takes in one setting; times are in microseconds.

    Args:
        file: Its name.
        runtime: What ran it.
        threads: How many it used.
        batch: Samples a call.
        p50: Median of a call.
        p95: 95 of 100 calls take at most so long.
        p99: 99 of 100 calls take at most so long.
        samples_per_second: Over all calls.
        noise: How far rounds of calls differ, as a share.
        load: Until the file is open.
        first: The first call.
        memory: Bytes by which the process has grown at most.
    """

    file: str
    runtime: str
    threads: int
    batch: int
    p50: float
    p95: float | None
    p99: float | None
    samples_per_second: float | None
    noise: float | None
    load: float | None
    first: float | None
    memory: float | None


@dataclass(frozen=True)
class Energy:
    """What a sample may cost, in microjoules: an estimate from counts, nothing measured."""

    file: str
    arithmetic: float
    weights_sram: float | None


@dataclass(frozen=True)
class LayerTimes:
    """Where the time of one file goes: microseconds by Keras layer, the most first."""

    file: str
    layers: tuple[tuple[str, float], ...]

    @property
    def most(self) -> float:
        """Of the slowest layer."""
        return self.layers[0][1]


@dataclass(frozen=True)
class LatencyFacts:
    """How fast the files are.

    Args:
        timings: In the order of the files.
        faults: What could not be timed: the file, and why.
        layers: Where the time of each file goes.
        energy: What a sample may cost.
        machine: What they were measured on, by name.
        notes: What makes the figures doubtful.
    """

    timings: tuple[Timing, ...]
    faults: tuple[tuple[str, str], ...]
    layers: tuple[LayerTimes, ...]
    energy: tuple[Energy, ...]
    machine: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def single(self) -> list[Timing]:
        """One sample and one thread, or as few as there are: what is drawn."""
        batch = min((timing.batch for timing in self.timings), default=1)
        known = [timing for timing in self.timings if timing.batch == batch]
        threads = min((timing.threads for timing in known), default=1)
        return [timing for timing in known if timing.threads == threads]

    @property
    def longest(self) -> float:
        """The longest time that is drawn: a few slow calls do not make all others short."""
        return 1.25 * max((timing.p50 for timing in self.single), default=0.0)

    def of(self, file: str) -> Timing | None:
        """How long one file takes for one sample."""
        return next((timing for timing in self.single if timing.file == file), None)

    def layers_of(self, file: str) -> LayerTimes | None:
        """Where the time of one file goes."""
        return next((one for one in self.layers if one.file == file), None)


def read_latency(record: Mapping[str, Any]) -> LatencyFacts | None:
    """What a `benchmark.json` tells; None where there is none."""
    files = [entry | {"file": str(entry.get("file", ""))} for entry in entries_of(record, "files")]
    timings = tuple(timing for entry in files for timing in _timings(entry))
    if not timings:
        return None
    return LatencyFacts(
        timings=timings,
        faults=tuple((entry["file"], str(entry["error"])) for entry in files if entry.get("error")),
        layers=tuple(filter(None, map(_layers, files))),
        energy=tuple(filter(None, map(_energy, files))),
        machine=tuple((str(key), str(value)) for key, value in part_of(record, "machine").items()),
        notes=tuple(map(str, record.get("notes") or ())),
    )


def _timings(entry: Mapping[str, Any]) -> Iterator[Timing]:
    starts = {start.get("threads"): start for start in entries_of(entry, "starts")}
    for one in entries_of(entry, "timings"):
        if (median := number_of(one.get("p50_us"))) is None:
            continue
        threads, batch = int(number_of(one.get("threads")) or 1), int(number_of(one.get("batch")) or 1)
        start = starts.get(threads, {})
        yield Timing(
            file=entry["file"],
            runtime=str(entry.get("runtime", "")),
            threads=threads,
            batch=batch,
            p50=median,
            p95=number_of(one.get("p95_us")),
            p99=number_of(one.get("p99_us")),
            samples_per_second=number_of(one.get("samples_per_second")),
            noise=number_of(one.get("noise")),
            load=number_of(start.get("load_us")),
            first=number_of(start.get("first_us")),
            memory=number_of(part_of(start, "peak_bytes").get(str(batch))),
        )


def _layers(entry: Mapping[str, Any]) -> LayerTimes | None:
    layers = part_of(entry, "operations", "layers").items()
    known = [(str(name) or "other", time) for name, value in layers if (time := number_of(value))]
    ranked = sorted(known, key=lambda pair: -pair[1])[:MOST_LAYERS]
    return LayerTimes(entry["file"], tuple(ranked)) if ranked else None


def _energy(entry: Mapping[str, Any]) -> Energy | None:
    energy = part_of(entry, "estimates", "energy")
    arithmetic = number_of(energy.get("arithmetic_uj"))
    return None if arithmetic is None else Energy(entry["file"], arithmetic, number_of(energy.get("weights_sram_uj")))

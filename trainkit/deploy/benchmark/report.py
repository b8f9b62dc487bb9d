"""What a benchmark tells a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainkit.deploy.benchmark.compare import Change
from trainkit.deploy.benchmark.energy import Energy
from trainkit.deploy.benchmark.result import Benchmark, FileResult, Start
from trainkit.deploy.wording import time_text
from trainkit.errors import counted
from trainkit.training.log import say

MOST_LAYERS = 20
"""Rows of the table of layers; of more, those that take the longest are shown."""


def print_benchmark(console: Console, result: Benchmark) -> None:
    """Show a row for each file and number of threads, the time of each layer, and what was estimated."""
    say(console, _header(result))
    console.print(_table(result))
    console.print(
        "times: median, 95th and 99th percentile; ±: how far the rounds differ; memory: growth of the process, at most",
        style="dim",
    )
    if any(file.operations and file.operations.operations for file in result.files):
        console.print()
        console.print(_layer_table(result.files))
    if any(file.estimates for file in result.files):
        console.print()
        console.print(_estimate_table(result.files))
    for line in (*_file_lines(result.files), *result.notes):
        say(console, line)


def print_quick(console: Console, result: Benchmark, filename: str) -> None:
    """Show a short row for each file, and what could not be timed."""
    batch = result.settings["batch"]
    table = _new_table(f"timed here, on {result.machine['cpu']}, {_cores(result)}, 1 thread")
    for column in ("load", "p50", "p95", "±", f"samples/s in {batch}s", "memory"):
        table.add_column(column, justify="right", no_wrap=True)
    for file in result.files:
        start = next(iter(file.starts), None)
        single, widest = file.timing(1, 1), next(reversed(file.timings), None)
        table.add_row(
            Text(file.file),
            time_text(start.load_us) if start else "",
            *((time_text(single.p50_us), time_text(single.p95_us), f"{single.noise:.1%}") if single else [""] * 3),
            f"{widest.samples_per_second:,.0f}" if widest else "",
            _memory(start),
        )
    console.print(table)
    lines = [file.error for file in result.files if file.error]
    for line in (*lines, *result.notes, f"p50: the median of one sample; by layer in {filename}"):
        say(console, line)


def print_changes(console: Console, changes: Sequence[Change], notes: Sequence[str]) -> None:
    """Show what became of each timing since an earlier result."""
    table = _new_table("against the earlier result")
    for column in ("batch", "threads", "then", "now", "change", "limit", "verdict"):
        table.add_column(column, justify="right", no_wrap=True)
    for change in changes:
        table.add_row(
            Text(change.file),
            f"{change.new.batch:,}",
            f"{change.new.threads:,}",
            time_text(change.old.p50_us),
            time_text(change.new.p50_us),
            f"{change.new.p50_us / change.old.p50_us - 1:+.1%}",
            time_text(change.limit_us),
            "SLOWER" if change.is_slower else "ok",
        )
    console.print()
    console.print(table)
    for note in notes:
        say(console, note)


def _header(result: Benchmark) -> str:
    machine, settings = result.machine, result.settings
    how = f"{settings['rounds']} rounds in turns, {settings['seconds']:g} s for each file, batch and number of threads"
    return f"{machine['cpu']}, {_cores(result)}; {how}"


def _cores(result: Benchmark) -> str:
    cores = result.machine["cores"]
    return counted(cores, "core")


def _table(result: Benchmark) -> Table:
    batch = result.settings["batch"]
    table = _new_table(None)
    columns = ["bytes", "threads", "load", "first", "p50", "p95", "p99", "±", f"p50 of {batch}", "samples/s", "memory"]
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for file in result.files:
        head = [file.file, f"{file.bytes:,}"]
        for threads in dict.fromkeys(timing.threads for timing in file.timings):
            table.add_row(Text(head[0]), head[1], *_cells(file, threads, batch))
            head = ["", ""]
        if not file.timings:
            table.add_row(Text(file.file), f"{file.bytes:,}", *[""] * (len(columns) - 2), "FAIL")
    return table


def _cells(file: FileResult, threads: int, batch: int) -> Iterator[str]:
    start = next((one for one in file.starts if one.threads == threads), None)
    single, many = file.timing(threads, 1), file.timing(threads, batch)
    widest = many or next((one for one in file.timings if one.threads == threads), None)
    yield f"{threads}"
    yield time_text(start.load_us) if start else ""
    yield time_text(start.first_us) if start else ""
    for value in (single.p50_us, single.p95_us, single.p99_us) if single else (None, None, None):
        yield "" if value is None else time_text(value)
    yield f"{single.noise:.1%}" if single else ""
    yield time_text(many.p50_us) if many else ""
    yield f"{widest.samples_per_second:,.0f}" if widest else ""
    yield _memory(start)


def _memory(start: Start | None) -> str:
    peaks = [peak for peak in start.peak_bytes.values() if peak is not None] if start else []
    return f"{max(peaks) / 1e6:,.1f} MB" if peaks else ""


def _layer_table(files: Sequence[FileResult]) -> Table:
    """Layers down, files across; the layers in the order of the first file that has them."""
    profiled = [file for file in files if file.operations and file.operations.operations]
    times = {file.file: dict(file.operations.layers) for file in profiled if file.operations}
    layers = list(dict.fromkeys(layer for one in times.values() for layer in one))
    longest = sorted(layers, key=lambda layer: -max(one.get(layer, 0.0) for one in times.values()))[:MOST_LAYERS]
    table = _new_table("time by layer, batch 1", first="layer")
    for file in profiled:
        table.add_column(file.file, justify="right", overflow="fold")
    for layer in (layer for layer in layers if layer in longest):
        cells = [_layer_time(one[layer]) if layer in one else "" for one in times.values()]
        table.add_row(Text(layer or "(of no layer)"), *cells)
    if len(layers) > len(longest):
        table.add_row(f"… {len(layers) - len(longest)} more", *[""] * len(profiled))
    return table


def _layer_time(value: float) -> str:
    """Runtimes tell whole microseconds: of less than one, nothing more is known."""
    return f"{value:,.1f} µs" if value >= 1 else "< 1 µs"


def _file_lines(files: Sequence[FileResult]) -> Iterator[str]:
    """A line for each thing that has to be known of a file."""
    for file in files:
        yield from (f"{file.file}: {note}" for note in file.notes)
        operations = file.operations
        if operations and operations.undelegated:
            names = ", ".join(operations.undelegated)
            yield f"{file.file}: XNNPACK does not take {names}, which LiteRT's own kernels run"
        elif file.facts.get("delegates") == 0:
            yield f"{file.file}: XNNPACK takes none of its operations, LiteRT's own kernels run them"
    yield from _shared("inputs", {file.file: file.inputs for file in files if file.inputs})
    told = {file.file: file.operations.note for file in files if file.operations and file.operations.note}
    yield from _shared("time by operation", told)


def _estimate_table(files: Sequence[FileResult]) -> Table:
    table = _new_table("estimated, not measured, for a sample")
    for column in ("multiply-accumulates", "counted as", "bytes of weights", "energy in 45 nm"):
        table.add_column(column, justify="right", no_wrap=True)
    for file in files:
        if (estimates := file.estimates) is not None:
            macs = "" if estimates.macs is None else f"{estimates.macs:,}"
            table.add_row(
                Text(file.file), macs, estimates.arithmetic, f"{estimates.weight_bytes:,}", _energy(estimates.energy)
            )
    return table


def _energy(energy: Energy | None) -> str:
    """From weights that are in SRAM to weights that come from DRAM."""
    if energy is None:
        return ""
    low, high = energy.weights_sram_uj, energy.weights_dram_uj[1]
    return f"{energy.arithmetic_uj + low:,.3g} to {energy.arithmetic_uj + high:,.3g} µJ"


def _shared(what: str, told: dict[str, str]) -> Iterator[str]:
    """A line for each text, with the files that it is told of where it is not all."""
    for text in dict.fromkeys(told.values()):
        names = [name for name, one in told.items() if one == text]
        yield f"{what}: {text}" if len(names) == len(told) else f"{what} of {', '.join(names)}: {text}"


def _new_table(title: str | None, *, first: str = "file") -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(first, overflow="fold")
    return table

"""`trainkit benchmark`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode
from trainkit.cli.output import check_output
from trainkit.errors import InputError

WIDTH = 130
"""Columns where standard output is not a terminal."""


def benchmark(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN_OR_FILE...",
            help="Model files (.tflite, .onnx, .keras, .h5, .tkz), SavedModels, runs: their model and its files.",
            show_default=False,
        ),
    ],
    batch: Annotated[int, typer.Option(help="Samples that go in at once, besides 1.")] = 32,
    threads: Annotated[
        str | None,
        typer.Option(metavar="N,N", help="How many a runtime may use; by default 1 and all cores.", show_default=False),
    ] = None,
    seconds: Annotated[float, typer.Option(help="For each file, size of batch and number of threads.")] = 2.0,
    rounds: Annotated[int, typer.Option(help="Slices of that, in which the files take turns.")] = 10,
    operations: Annotated[
        bool, typer.Option("--operations/--no-operations", help="Time each operation and layer, too.")
    ] = True,
    output: Annotated[
        Path | None, typer.Option(help="A .json file to write as well, with all figures.", show_default=False)
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="An .svg or .png file to draw bars in.", show_default=False)] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="OLD.json",
            help="An earlier --output of this machine: what is slower beyond the noise ends with exit code 3.",
            show_default=False,
        ),
    ] = None,
    allow_code: AllowCode = False,
) -> None:
    """Time model files side by side: latency, throughput, memory, and where the time goes."""
    check_output(output, [".json"])
    check_output(plot, [".svg", ".png"], name="plot")
    counts = _numbers(threads)
    from rich.console import Console

    from trainkit.deploy.benchmark.compare import check_comparable, check_speed, compare
    from trainkit.deploy.benchmark.machine import describe_machine
    from trainkit.deploy.benchmark.plot import draw_benchmark
    from trainkit.deploy.benchmark.report import print_benchmark, print_changes
    from trainkit.deploy.benchmark.result import read_earlier
    from trainkit.runs import write_json

    earlier = read_earlier(against) if against is not None else None
    if earlier is not None and against is not None:
        check_comparable(earlier, describe_machine(), against)
    from trainkit.deploy.benchmark import benchmark as measure

    result = measure(*paths, batch=batch, threads=counts, seconds=seconds, rounds=rounds, operations=operations)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    print_benchmark(console, result)
    if output is not None:
        write_json(output, result.to_json())
    result.check_timed()
    if plot is not None:
        draw_benchmark(result, plot)
    if earlier is not None and against is not None:
        changes, notes = compare(earlier, result, against)
        print_changes(console, changes, notes)
        check_speed(changes, against)


def _numbers(text: str | None) -> tuple[int, ...]:
    """`1,2` as numbers."""
    try:
        return tuple(int(part) for part in text.split(",")) if text is not None else ()
    except ValueError:
        raise InputError(f"`threads` must be numbers with commas between, as 1,2. Received: {text!r}.") from None

"""A picture of a benchmark: bars of latency and throughput."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainkit.deploy.benchmark.result import Benchmark
from trainkit.deploy.benchmark.statistics import Timing
from trainkit.deploy.wording import time_text
from trainkit.errors import InputError
from trainkit.runs import replace_file

SUFFIXES = (".svg", ".png")
COLOURS = ("#4c72b0", "#dd8452", "#55a868", "#8172b3")
"""By number of threads, in their order."""
BAR = 0.8
"""Height that the bars of a file share."""


def draw_benchmark(result: Benchmark, filepath: Path) -> None:
    """Draw the latency of single samples, and the samples a second in batches.

    Args:
        result: What was found.
        filepath: An .svg or .png file.

    Raises:
        InputError: If it ends otherwise, or nothing was timed.
        OutputError: If it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if filepath.suffix not in SUFFIXES:
        raise InputError(f"`plot` must end with {' or '.join(SUFFIXES)}. Received: {str(filepath)!r}.")
    batch = result.settings["batch"]
    files = [file for file in result.files if file.timings]
    if not files:
        raise InputError("`plot` needs a file that was timed. Received: none.")
    threads = sorted({timing.threads for file in files for timing in file.timings})
    figure = Figure(figsize=(11, 1.6 + 0.36 * len(files) * max(1.4, len(threads))), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    names = [file.file for file in files]
    _bars(left, [[file.timing(count, 1) for file in files] for count in threads], threads, "p50_us", time_text)
    _bars(
        right,
        [[file.timing(count, batch) for file in files] for count in threads],
        threads,
        "samples_per_second",
        _rate,
    )
    left.set_title("latency of one sample, median to 95th percentile (logarithmic)", fontsize=10)
    right.set_title(f"samples a second in batches of {batch} (logarithmic)", fontsize=10)
    left.set_yticks(range(len(names)), names)
    left.invert_yaxis()
    left.legend(loc="lower right", fontsize=8, framealpha=0.9)
    figure.supxlabel(result.machine["cpu"], fontsize=8, color="#555555")
    with replace_file(filepath) as temporary:
        figure.savefig(temporary, format=filepath.suffix.removeprefix("."), dpi=130)


def _bars(axis: Any, columns: Sequence[Sequence[Timing | None]], threads: Sequence[int], key: str, text: Any) -> None:
    """Horizontal bars on a logarithmic axis, a colour for each number of threads, each with its value."""
    height = BAR / len(threads)
    values = [getattr(one, key) for column in columns for one in column if one is not None]
    for number, (count, column) in enumerate(zip(threads, columns, strict=True)):
        label = f"{count} thread{'s' if count > 1 else ''}"
        colour = COLOURS[number % len(COLOURS)]
        for row, timing in enumerate(column):
            place = row - BAR / 2 + height * (number + 0.5)
            if timing is None:
                continue
            value = getattr(timing, key)
            axis.barh(place, value, height * 0.92, color=colour, label=label)
            label = "_nolegend_"
            end = value
            if key == "p50_us":
                end = max(value, timing.p95_us)
                axis.plot([value, end], [place, place], color="#333333", linewidth=1)
            axis.annotate(text(value), (end, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set_xscale("log")
    if values:
        axis.set_xlim(min(values) / 3, max(values) * 8)
    axis.set_xticks([])
    axis.minorticks_off()
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def _rate(value: float) -> str:
    return f"{value:,.0f}"

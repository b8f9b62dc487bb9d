"""What `runs` tells a person, in 80 columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainkit.runs.comparison import Comparison
from trainkit.runs.listing import RunFacts

SPLITS = ("validation", "test")
STOPPED = {
    "KeyboardInterrupt": "stopped by SIGINT",
    "SystemExit: 143": "stopped by SIGTERM",
    "SystemExit: 129": "stopped by SIGHUP",
}
LONGEST_TOLD = 240
"""Characters of an error that are shown; `train.log` has all."""


def print_runs(console: Console, root: Path, runs: Sequence[RunFacts]) -> None:
    """Show a table for each name of runs, what ended those that did not finish, and what the columns mean."""
    if not runs:
        _say(console, f"there are no runs in {root}. `trainkit fit CONFIG --runs {root}` makes one.")
    for name, group in groupby(runs, key=lambda run: run.name.rpartition("/")[0]):
        alike = list(group)
        whole = [run for run in alike if _state(run) != "damaged"]
        if whole:
            console.print(_runs_table(name, whole))
        for run in alike:
            if _state(run) in ("damaged", "failed"):
                _say(console, f"{run.name}: {_told(run.outcome)}")
        console.print()
    if any(run.epochs for run in runs):
        console.print(_caption(runs), style="dim", markup=False, highlight=False)


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Show which run is which, the keys in which they differ, and their metrics side by side."""
    letters = {run.name: _letter(index) for index, run in enumerate(comparison.runs)}
    for name, letter in letters.items():
        _say(console, f"{letter}: {name}")
    if comparison.config:
        console.print(_side_by_side("config", letters, comparison.config, _value))
    else:
        _say(console, "config: no differences")
    console.print(_side_by_side("metrics", letters, comparison.metrics, _measure))


def _letter(index: int) -> str:
    """What a column goes by, as in a spreadsheet.

    Example:
        >>> _letter(0), _letter(25), _letter(26), _letter(53)
        ('A', 'Z', 'AA', 'BB')
    """
    more, last = divmod(index, len(ascii_uppercase))
    return (_letter(more - 1) if more else "") + ascii_uppercase[last]


def _runs_table(name: str, runs: Sequence[RunFacts]) -> Table:
    table = _plain_table(name)
    for column, justify in zip(COLUMNS, JUSTIFY, strict=True):
        table.add_column(column, justify=justify, no_wrap=column in ("began", "ended"), overflow="fold")  # type: ignore[arg-type]
    for run in runs:
        best = run.best or {}
        table.add_row(
            Text(run.name.rpartition("/")[2]),
            f"{run.began.astimezone():%Y-%m-%d %H:%M}" if run.began else "",
            _duration(run.seconds),
            _state(run),
            f"{best.get('epoch', '-')}/{run.epochs}" if run.epochs else "0",
            _number(best.get("value")),
            *("\n".join(_measure(name, value) for name, value in run.headline(split).items()) for split in SPLITS),
            "" if run.files is None else f"{run.files_passed}/{run.files}",
        )
    return table


COLUMNS = ("run", "began", "took", "ended", "best", "monitor", *SPLITS, "files")
JUSTIFY = ("left", "left", "right", "left", *5 * ("right",))


def _side_by_side(title: str, letters: Mapping[str, str], rows: Mapping[str, Mapping[str, Any]], show: Any) -> Table:
    table = _plain_table(title)
    table.add_column("key", overflow="fold", ratio=2)
    for letter in letters.values():
        table.add_column(letter, overflow="fold", ratio=1)
    table.expand = len(letters) > 2
    for key, values in rows.items():
        table.add_row(Text(key), *(Text(show(key, values[name]) if name in values else "") for name in letters))
    return table


def _plain_table(title: str) -> Table:
    return Table(title=Text(title), title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)


def _caption(runs: Sequence[RunFacts]) -> str:
    """What the columns of the tables mean."""
    monitors = dict.fromkeys(str(run.best["monitor"]) for run in runs if run.best)
    shown = dict.fromkeys(", ".join(run.headline(split)) for run in runs for split in SPLITS if run.headline(split))
    told = ["best: best epoch/epochs trained", f"monitor: {', '.join(monitors)}" if monitors else ""]
    told += [f"validation, test: {' or '.join(shown)}" if shown else "", "files: passed/exported"]
    return "; ".join(filter(None, told))


def _state(run: RunFacts) -> str:
    """How a run ended, in a word."""
    if run.outcome in ("finished", "running", "killed"):
        return run.outcome
    if run.outcome in STOPPED:
        return "stopped"
    return "damaged" if run.outcome.startswith("damaged: ") else "failed"


def _told(outcome: str) -> str:
    """An outcome on one line, cut where it is long."""
    text = " ".join(outcome.split())
    return text if len(text) <= LONGEST_TOLD else f"{text[: LONGEST_TOLD - 1]}…"


def _value(key: str, value: Any) -> str:
    """A value of a config; what is nested, on one line."""
    return _told(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _measure(key: str, value: Any) -> str:
    """A value that was measured."""
    if key.rpartition(".")[2] == "accuracy":
        return f"{value:.2%}"
    if key == "seconds":
        return _duration(value)
    return _number(value) if isinstance(value, float) else STOPPED.get(value, _told(str(value)))


def _number(value: float | None) -> str:
    """Four decimals, or four digits where that is too little or too long."""
    if value is None:
        return ""
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.3e}"


def _duration(seconds: float | None) -> str:
    """Hours, minutes, seconds."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)

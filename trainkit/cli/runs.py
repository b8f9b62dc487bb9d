"""`trainkit runs`"""

from __future__ import annotations

from typing import Annotated

import typer


def runs(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DIR] | compare RUN RUN…",
            help="A directory of runs (`runs`); or `compare`, and two or more runs, each by its directory.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: every fact, as JSON.")] = False,
) -> None:
    """List the runs below DIR, or show in what configs and metrics of several runs differ."""
    import json
    from pathlib import Path

    from rich.console import Console

    from trainkit.errors import InputError
    from trainkit.runs.comparison import compare_runs
    from trainkit.runs.listing import list_runs
    from trainkit.runs.report import print_comparison, print_runs

    match words or ["runs"]:
        case ["compare", *directories]:
            comparison = compare_runs([Path(directory) for directory in directories])
            print(json.dumps(comparison.to_json(), indent=1)) if as_json else print_comparison(Console(), comparison)
        case [directory]:
            found = list_runs(Path(directory))
            if as_json:
                print(json.dumps([run.to_json() for run in found], indent=1))
            else:
                print_runs(Console(), Path(directory), found)
        case other:
            received = " ".join(other)
            raise InputError(
                f"runs must be given one directory, or `compare` and several runs. Received: {received!r}. "
                f"To compare runs: trainkit runs compare {received}"
            )

"""The quick benchmark of files that were just exported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from trainkit.deploy.benchmark.benchmark import Plan, benchmark_files, given_samples
from trainkit.deploy.benchmark.candidates import Candidate, deployed_files
from trainkit.deploy.benchmark.report import print_quick
from trainkit.deploy.benchmark.result import Benchmark
from trainkit.models.costs import layer_costs
from trainkit.runs import write_json
from trainkit.training.log import say

FILE_NAME = "benchmark.json"
QUICK = Plan(threads=(1,), seconds=0.3)
"""About a second for each file."""


def benchmark_deployment(
    directory: Path, inputs: Mapping[str, np.ndarray], model: Any, console: Console
) -> Benchmark | None:
    """Time the files of a deploy in turns, and write `benchmark.json` beside them.

    Args:
        directory: Where the files stand; those that were rejected do not count.
        inputs: Real samples by input name, as the model takes them.
        model: The `tf.keras.Model` that was trained; its multiply-accumulates are told.
        console: Where the table is shown.

    Returns:
        What was found; None where there is no file. A file that cannot be timed has an `error`: it was proved all the
        same.

    Raises:
        OutputError: If the result cannot be written.
    """
    candidates = [Candidate(filepath, filepath.name) for filepath in deployed_files(directory)]
    if not candidates:
        return None
    say(console, f"timing {len(candidates)} file{'s' if len(candidates) > 1 else ''}")
    few = {name: array[: QUICK.batch] for name, array in inputs.items()}
    taken = len(next(iter(few.values())))
    give = given_samples(few, f"{taken} of the samples that the files were proved on")
    result = benchmark_files(candidates, QUICK, give=give, macs=_macs(model))
    write_json(directory / FILE_NAME, result.to_json())
    print_quick(console, result, FILE_NAME)
    return result


def _macs(model: Any) -> int | None:
    """Multiply-accumulates of a sample; None where they are not known, or depend on its length."""
    amounts = [cost.macs for cost in layer_costs(model)]
    known = [amount.fixed for amount in amounts if amount is not None and not amount.is_open]
    return sum(known) if len(known) == len(amounts) else None

"""In what runs differ: their configs, and what they measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainkit.errors import InputError, RunError
from trainkit.runs.listing import RunFacts, finite, list_runs
from trainkit.runs.run import Run


@dataclass(frozen=True)
class Comparison:
    """In what runs differ.

    Args:
        runs: Their facts; no two have the same name.
        config: The values of the keys that differ, by key path, then by name of the run. A run that has no such key
            has no entry.
        metrics: What was measured, likewise, with what is equal.
    """

    runs: tuple[RunFacts, ...]
    config: Mapping[str, Mapping[str, Any]]
    metrics: Mapping[str, Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON has it."""
        return finite({"runs": [run.to_json() for run in self.runs], "config": self.config, "metrics": self.metrics})


def compare_runs(directories: Sequence[Path]) -> Comparison:
    """Compare the resolved configs and the metrics of runs.

    Args:
        directories: Run directories, at least two; a directory of runs stands for the newest of them.

    Raises:
        InputError: If they are not different runs.
        RunError: If one is no run, or damaged.
    """
    from trainkit.config.yaml_reader import read_file  # brings pydantic: 0.1 s, which a listing need not wait for

    runs = [_newest(directory) for directory in directories]
    if len(runs) < 2 or len({run.directory.resolve() for run in runs}) < len(runs):
        received = ", ".join(str(run.directory) for run in runs) or "none"
        raise InputError(f"compare must be given two or more different runs. Received: {received}.")
    if len({run.name for run in runs}) < len(runs):
        runs = [replace(run, name=str(run.directory)) for run in runs]
    configs = {run.name: read_file(Run(run.directory).resolved).data for run in runs}
    return Comparison(tuple(runs), dict(_differences(configs, (), len(runs))), _side_by_side(runs))


def _newest(directory: Path) -> RunFacts:
    """The run in a directory, or the one with the highest number."""
    runs = list_runs(directory)
    if len({run.directory.parent for run in runs}) != 1:
        raise RunError(f"{directory} is neither a run nor a directory of numbered runs. `trainkit runs` lists them.")
    if runs[-1].outcome.startswith("damaged: "):
        raise RunError(f"{runs[-1].directory} is no run, or {runs[-1].outcome}.")
    return runs[-1]


def _side_by_side(runs: Sequence[RunFacts]) -> dict[str, dict[str, Any]]:
    measured = {run.name: _measured(run) for run in runs}
    keys = dict.fromkeys(key for values in measured.values() for key in values)
    return {key: {name: values[key] for name, values in measured.items() if key in values} for key in keys}


def _measured(run: RunFacts) -> dict[str, Any]:
    """What a run measured, on one level."""
    values: dict[str, Any] = {"outcome": run.outcome, "seconds": run.seconds, "epochs": run.epochs}
    values |= {f"best.{key}": value for key, value in (run.best or {}).items()}
    for split, metrics in run.metrics.items():
        values |= {f"{split}.{name}": value for name, value in metrics.items()}
    values |= {"files": run.files, "files_passed": run.files_passed}
    return {key: value for key, value in values.items() if value is not None}


def _differences(
    values: Mapping[str, Any], path: tuple[str | int, ...], runs: int
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The keys at and below a path whose values are not the same in all runs."""
    from trainkit.config.document import format_path

    if len(values) == runs and all(isinstance(value, dict) for value in values.values()):
        keys: Any = dict.fromkeys(key for value in values.values() for key in value)
    elif len(values) == runs and all(isinstance(value, list) for value in values.values()):
        keys = range(max(len(value) for value in values.values()))
    else:
        if len(values) < runs or len({repr(value) for value in values.values()}) > 1:
            yield format_path(path), values
        return
    for key in keys:
        having = {name: value[key] for name, value in values.items() if _has(value, key)}
        yield from _differences(having, (*path, key), runs)


def _has(value: Any, key: Any) -> bool:
    return key in value if isinstance(value, dict) else key < len(value)

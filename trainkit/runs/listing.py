"""What the runs below a directory say of themselves, as plain facts."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trainkit.errors import InputError, RunError
from trainkit.runs.checkpoints import Checkpoints
from trainkit.runs.run import Run

try:
    import fcntl
except ImportError:  # not a POSIX system: runs are not locked there
    fcntl = None  # type: ignore[assignment]

DEEPEST_RUN = 4
"""Levels below a directory at which runs are looked for."""
BEST = ("epoch", "monitor", "value")


@dataclass(frozen=True)
class RunFacts:
    """What one run says of itself; what it does not say is None.

    Args:
        name: `mnist_lenet5/003`.
        directory: Where it stands.
        outcome: `finished`, `running`, `killed` (it says that it is running, but no process owns it), the error that
            ended it, or `damaged: REASON`.
        began: When.
        seconds: How long it took, or has been running.
        epochs: Trained to their end.
        best: `epoch`, `monitor` and `value` of the best epoch so far.
        metrics: Loss, metrics and, where the data has classes, accuracy, by split.
        files: How many were exported.
        files_passed: How many of them answer like the model.
    """

    name: str
    directory: Path
    outcome: str
    began: datetime | None = None
    seconds: float | None = None
    epochs: int | None = None
    best: Mapping[str, Any] | None = None
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    files: int | None = None
    files_passed: int | None = None

    def headline(self, split: str) -> dict[str, float]:
        """The accuracy on a split where there is one, else the loss and the config's first metric."""
        values = self.metrics.get(split, {})
        if "accuracy" in values:
            return {"accuracy": values["accuracy"]}
        first = next((name for name in values if name != "loss" and not name.endswith("_loss")), "loss")
        return {name: values[name] for name in dict.fromkeys(("loss", first)) if name in values}

    def to_json(self) -> dict[str, Any]:
        """The facts as JSON has them."""
        began = self.began and self.began.isoformat()
        return finite(asdict(self) | {"directory": str(self.directory), "began": began})


def list_runs(root: Path) -> list[RunFacts]:
    """The facts of every run below a directory, by name.

    Raises:
        InputError: If there is no such directory.
    """
    return [_read_facts(name, directory) for name, directory in find_runs(root).items()]


def find_runs(root: Path) -> dict[str, Path]:
    """Every run below a directory, or the directory itself, by name; directories beside them that are none, too.

    Raises:
        InputError: If there is no such directory.
    """
    if not root.is_dir():
        fault = "is not a directory" if root.exists() else "does not exist"
        raise InputError(f"{root} {fault}. Name the directory that `trainkit fit` made, or was given by --runs.")
    found = _runs_below(root, DEEPEST_RUN, root.resolve()) or _children(root, root.resolve())
    names = {_name(directory, root): directory for directory in found}
    return {name: names[name] for name in sorted(names, key=_by_number)}


def _runs_below(directory: Path, depth: int, root: Path) -> list[Path]:
    """The runs below a directory; of one that has any, the other directories too."""
    if (directory / "manifest.json").exists():
        return [directory]
    below = {child: _runs_below(child, depth - 1, root) for child in _children(directory, root)} if depth else {}
    if any(below.values()):
        return [path for child, runs in below.items() for path in runs or [child]]
    return [directory] if directory.name.isdecimal() and _is_damaged(directory) else []


def _is_damaged(directory: Path) -> bool:
    """Whether a directory without a manifest was to be a run: it has something of one, or nothing at all."""
    run = Run(directory)
    own = {path.name for path in (run.config, run.resolved, run.log, run.checkpoints, run.model)}
    found = {path.name for path in directory.iterdir()}
    return not found or not own.isdisjoint(found)


def _children(directory: Path, root: Path) -> list[Path]:
    """The directories in a directory, but for hidden ones and links to what is below `root` anyway."""
    try:
        children = [path for path in directory.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError:  # not ours to read
        return []
    return [path for path in children if not (path.is_symlink() and path.resolve().is_relative_to(root))]


def _name(directory: Path, root: Path) -> str:
    """The path below `root`, at least the last two parts: `mnist_lenet5/003`."""
    depth = len(directory.relative_to(root).parts)
    return "/".join(Path(os.path.abspath(directory)).parts[1:][-max(2, depth) :])


def _by_number(name: str) -> list[tuple[bool, int, str]]:
    """Sorts 1000 after 999."""
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in name.split("/")]


def _read_facts(name: str, directory: Path) -> RunFacts:
    run = Run(directory)
    try:
        manifest = _read_manifest(run)
        return RunFacts(name, directory, **manifest, **_read_training(run, manifest["outcome"]), **_read_files(run))
    except RunError as error:
        return RunFacts(name, directory, f"damaged: {error}")


@contextmanager
def _reading(filepath: Path) -> Iterator[None]:
    """Say in a few words what is wrong with a file of a run."""
    try:
        yield
    except FileNotFoundError:
        raise RunError(f"it has no {filepath.name}") from None
    except OSError as error:
        raise RunError(f"{filepath.name} cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise RunError(f"{filepath.name} has no {error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(f"{filepath.name} is not what a run writes: {error}") from error


def _read_json(filepath: Path) -> Any:
    return json.loads(filepath.read_text(encoding="utf-8"))


def _read_manifest(run: Run) -> dict[str, Any]:
    with _reading(run.manifest):
        manifest = _read_json(run.manifest)
        outcome, began = str(manifest["outcome"]), datetime.fromisoformat(manifest["began"])
        ended = datetime.fromisoformat(manifest["ended"]) if "ended" in manifest else None
        if outcome == "running":
            outcome, ended = ("running", datetime.now(UTC)) if _is_owned(run) else ("killed", None)
        return {"outcome": outcome, "began": began, "seconds": ended and (ended - began).total_seconds()}


def _is_owned(run: Run) -> bool:
    """Whether a process holds the lock of a run, as far as the system can tell."""
    if fcntl is None:
        return True
    try:
        with (run.directory / ".lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _read_training(run: Run, outcome: str) -> dict[str, Any]:
    """Epochs, best epoch and metrics; of a training that did not finish, what its checkpoint knows."""
    epochs = 0
    with _reading(run.history):
        if run.history.exists():
            epochs = len(list(csv.DictReader(run.history.read_text(encoding="utf-8").splitlines())))
    if outcome == "finished" and not run.model.exists():
        raise RunError(f"it has no {run.model.name}")
    with _reading(run.metrics):
        metrics = _read_json(run.metrics) if outcome == "finished" or run.metrics.exists() else {}
        splits = {split: _values(metrics[split]) for split in ("validation", "test") if split in metrics}
    checkpoints = Checkpoints(run.checkpoints)
    with _reading(run.checkpoints):
        best = metrics.get("best") or next((checkpoints.read_state(step)["best"] for step in checkpoints.steps()), None)
        return {"epochs": epochs, "metrics": splits, "best": best and {key: best[key] for key in BEST}}


def _values(result: Mapping[str, Any]) -> dict[str, float]:
    values = dict(result["metrics"]) | {key: result[key] for key in ("accuracy",) if key in result}
    return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


def _read_files(run: Run) -> dict[str, Any]:
    filepath = run.deploy / "verify.json"
    if not filepath.exists():
        return {}
    with _reading(filepath):
        passed = [bool(file["parity"]["passed"]) for file in _read_json(filepath)["files"]]
        return {"files": len(passed), "files_passed": sum(passed)}


def finite(value: Any) -> Any:
    """The value with null for NaN and infinity, which JSON has not."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

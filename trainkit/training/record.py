"""What a run writes down about itself before it begins."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from trainkit.data import Split, Splits, describe, fingerprint
from trainkit.errors import OutputError, RunError
from trainkit.models.weights import weight_bytes
from trainkit.runs import Run, replace_file, write_json, write_text
from trainkit.training.devices import Devices
from trainkit.training.prepare import Prepared
from trainkit.training.scale.report import facts_of

PACKAGES = ("trainkit", "tensorflow", "tf-keras", "numpy")
ROOM_BESIDE_WEIGHTS = 20_000_000
"""Bytes that a run needs besides its weights: logs, TensorBoard's files, metrics."""


def check_room(runs: Path, prepared: Prepared) -> None:
    """Refuse a disk that cannot hold the run: states of weights and optimizer: those that stay, the best, the next."""
    states = prepared.config.experiment.training.checkpoints.keep + 2
    needed = states * 3 * weight_bytes(prepared.model.variables) + ROOM_BESIDE_WEIGHTS
    existing = next(path for path in [runs.absolute(), *runs.absolute().parents] if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise OutputError(
            f"{existing} must have {needed / 1e6:,.0f} MB free for this run. Received: {free / 1e6:,.1f} MB. "
            "Choose another place with --runs."
        )


def check_data(run: Run, splits: Splits[Split], *, cure: str = "") -> None:
    """Refuse data that are not those a run was trained on.

    Raises:
        RunError: With the cure, where there is one.
    """
    if fingerprint(splits) != run.read_manifest().get("data", {}).get("fingerprint"):
        message = f"{run.directory} was trained on other data: the files that its config names have changed."
        raise RunError(f"{message} {cure}".rstrip())


def describe_run(run: Run, prepared: Prepared, devices: Devices, *, seed: int) -> None:
    """Write down what is about to be trained."""
    config = prepared.config
    write_text(run.config, config.document.text or config.resolved_yaml())
    about = {
        "name": config.experiment.name,
        "command": sys.argv,
        "began": now(),
        "seed": seed,
        "devices": str(devices),
        "git_commit": _git_commit(),
        "weights": prepared.weights and prepared.weights.to_json(),
        "outcome": "running",
    }
    write_json(run.manifest, about | describe_training(run, prepared))


def describe_training(run: Run, prepared: Prepared) -> dict[str, Any]:
    """Write down the config, its code and what the data are; returns what the manifest says of them."""
    config, code = prepared.config, prepared.config.custom_code
    if code and code.filepath.resolve() != (run.directory / code.filepath.name).resolve():
        with replace_file(run.directory / code.filepath.name) as temporary:
            shutil.copyfile(code.filepath, temporary)
    write_text(run.resolved, config.resolved_yaml())
    write_json(run.data, describe(config.experiment, prepared.splits.train.facts).to_json())
    return {
        "custom_code": code and code.sha256,
        "versions": {"python": sys.version.split()[0]} | {package: version(package) for package in PACKAGES},
        "data": {"fingerprint": fingerprint(prepared.splits), "samples": prepared.sizes},
        "teacher": prepared.teacher and prepared.teacher.to_json(),
        "parameters": prepared.model.count_params(),
        "strategy": facts_of(prepared.model.distribute_strategy, batch_size=config.experiment.data.batch_size),
    }


def _git_commit() -> str | None:
    """The commit of the repository that the command runs in, with `-dirty` where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def now() -> str:
    """This moment, UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")

"""Checkpoints: directories of data that are there whole or not at all, each with a manifest of what it holds."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainkit.errors import OutputError, RunError
from trainkit.runs.atomic import recover_directory, replace_directory, write_json
from trainkit.runs.digest import files_of, sha256_of

MANIFEST = "manifest.json"
STATE = "state.json"
CONFIG = "resolved.yaml"
_NAME = re.compile(r"(?:\.old\.)?(step_\d{9,})$")


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a run, each a directory `step_000001875`: named by the training steps before it.

    Args:
        directory: Where they stand.
    """

    directory: Path

    @contextmanager
    def writing(self, step: int) -> Iterator[Path]:
        """Yield an empty directory; when the block ends well, what it holds is the checkpoint of a step.

        The files and a manifest with the sha256 of each are on the disk before the directory gets its name.

        Raises:
            OutputError: If it cannot be written; older checkpoints are untouched.
        """
        with replace_directory(self.at(step)) as temporary:
            try:
                yield temporary
            except OutputError as error:  # the user knows the checkpoint, not the name it has while it is written
                raise type(error)(str(error).replace(temporary.name, self.at(step).name)) from error
            files = {
                path.relative_to(temporary).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
                for path in files_of(temporary)
            }
            write_json(temporary / MANIFEST, {"version": 1, "step": step, "files": files})

    def at(self, step: int) -> Path:
        """The directory of the checkpoint of a step."""
        return self.directory / f"step_{step:09d}"

    def steps(self) -> list[int]:
        """The steps that have a checkpoint, the newest first; whether they are whole, `fault_of` knows."""
        names = (_NAME.match(path.name) for path in self.directory.glob("*")) if self.directory.is_dir() else ()
        return sorted({int(match[1].removeprefix("step_")) for match in names if match}, reverse=True)

    def newest(self, *, alone: bool = False) -> tuple[int | None, list[str]]:
        """The newest step whose checkpoint is whole, or None; and what is wrong with each newer one.

        Args:
            alone: Whether a checkpoint will do whose best one is not whole.
        """
        faults: list[str] = []
        for step in self.steps():
            recover_directory(self.at(step))
            fault = fault_of(self.at(step)) or (None if alone else self.fault_of_best(step))
            if fault is None:
                return step, faults
            faults.append(f"{self.at(step).name} {fault}")
        return None, faults

    def read_state(self, step: int) -> dict[str, Any]:
        """What a checkpoint says beside its variables.

        Raises:
            RunError: If it is missing or damaged.
        """
        try:
            return json.loads((self.at(step) / STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{self.at(step) / STATE} cannot be read: {error}.") from error

    def config_of(self, step: int) -> str | None:
        """The config that a checkpoint was written under, as YAML; None where it does not say so."""
        try:
            return (self.at(step) / CONFIG).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def best_of(self, step: int) -> int | None:
        """The step of the best checkpoint when that of `step` was written, as far as it says so."""
        try:
            return int(self.read_state(step)["best"]["step"])
        except (RunError, LookupError, TypeError, ValueError):
            return None

    def fault_of_best(self, step: int) -> str | None:
        """What is wrong with the best checkpoint that a checkpoint names, or None."""
        best = self.best_of(step)
        if best is None or best == step:
            return None
        recover_directory(self.at(best))
        fault = fault_of(self.at(best))
        return fault and f"needs the best one, {self.at(best).name}, which {fault}"

    def prune(self, keep: Collection[int]) -> None:
        """Remove the checkpoints of all other steps."""
        for step in set(self.steps()) - set(keep):
            recover_directory(self.at(step))  # a kill may have left two of a step
            shutil.rmtree(self.at(step), ignore_errors=True)


def fault_of(directory: Path) -> str | None:
    """What is wrong with a checkpoint, or None: every file must be the one that its manifest names."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        if manifest["version"] != 1:
            return f"is of another version: {manifest['version']!r}"
        for name, facts in manifest["files"].items():
            path = directory / name
            if not path.is_file():
                return f"has no {name}"
            if path.stat().st_size != facts["bytes"]:
                return f"is damaged: {name} must have {facts['bytes']:,} bytes, and has {path.stat().st_size:,}"
            if sha256_of(path) != facts["sha256"]:
                return f"is damaged: {name} is not what was written"
    except FileNotFoundError:
        return f"has no {MANIFEST}"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except (ValueError, LookupError, TypeError, AttributeError):
        return f"is damaged: {MANIFEST} is not what was written"
    return None

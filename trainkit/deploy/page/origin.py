"""Where a model comes from: its run, its config, the commands that make it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainkit.config import Node
from trainkit.config.load import read_document
from trainkit.deploy.packages import ALL_PACKAGES, DEPLOY_PACKAGES, installed
from trainkit.deploy.page.nodes import short_node
from trainkit.deploy.page.records import part_of, read_record, read_text
from trainkit.deploy.subject import Subject
from trainkit.errors import ConfigError
from trainkit.runs import Run


@dataclass(frozen=True)
class Origin:
    """Where a model comes from.

    Args:
        name: Of the experiment.
        file: Name of the model's file.
        sha256: Of that file.
        is_run: Whether TrainKit has trained it.
        began: When the training began, ISO 8601; nothing where it is not known.
        ended: When it ended.
        devices: What it was trained on.
        seed: Of everything that was drawn.
        commit: Of the repository that the training ran in.
        versions: By package.
        commands: That make it and its files again, one a line.
        config: As it was given.
        resolved: With every default written out.
    """

    name: str
    file: str
    sha256: str
    is_run: bool
    seed: int
    versions: Mapping[str, str]
    commands: tuple[str, ...]
    config: str
    resolved: str
    began: str = ""
    ended: str = ""
    devices: str = ""
    commit: str = ""

    @property
    def date(self) -> str:
        """The day on which the training ended."""
        return self.ended[:10]


def run_of(subject: Subject) -> Run | None:
    """The run that a subject is of, or None of a model made elsewhere."""
    run = Run(subject.filepath.parent)
    return run if run.deploy == subject.directory and run.manifest.is_file() else None


def describe_origin(subject: Subject, *, sha256: str) -> Origin:
    """Read where a model comes from.

    Args:
        subject: What is deployed.
        sha256: Of its file.
    """
    run, config = run_of(subject), subject.config
    manifest = read_record(run.manifest) if run else {}
    return Origin(
        name=config.experiment.name,
        file=subject.filepath.name,
        sha256=sha256,
        is_run=run is not None,
        seed=config.experiment.seed,
        # of a run, the manifest tells what it was trained by
        versions=part_of(manifest, "versions") | installed(DEPLOY_PACKAGES if run else ALL_PACKAGES),
        commands=tuple(_commands(subject, run, manifest)),
        config=(read_text(run.config) if run else "") or config.document.text or "",
        resolved=config.resolved_yaml() if run else "",
        began=str(manifest.get("began", "")),
        ended=str(manifest.get("ended", "")),
        devices=str(manifest.get("devices", "")),
        commit=str(manifest.get("git_commit") or ""),
    )


def _commands(subject: Subject, run: Run | None, manifest: Mapping[str, Any]) -> Iterator[str]:
    if run is None:
        yield shlex.join(["trainkit", "deploy", subject.filepath.name, "--data", "CONFIG", *_overrides(subject, None)])
        return
    command = manifest.get("command")
    words = list(map(str, command)) if isinstance(command, list) else []
    is_own = Path(words[0]).name == "trainkit" if words else False
    yield shlex.join(["trainkit", *words[1:]] if is_own else ["trainkit", "fit", "config.yaml"])
    yield shlex.join(["trainkit", "deploy", str(run.directory), *_overrides(subject, run)])


def _overrides(subject: Subject, run: Run | None) -> Iterator[str]:
    """What was deployed otherwise than the config of the run says."""
    if run is None:
        return
    with suppress(ConfigError):
        known = part_of(read_document(run.resolved).data, "deploy")
        for key, found in part_of(subject.config.resolved(), "deploy").items():
            if key in known and known[key] != found:
                written = getattr(subject.config.experiment.deploy, key)
                yield f"deploy.{key}={json.dumps(_short(written, found), ensure_ascii=False)}"


def _short(written: Any, resolved: Any) -> Any:
    """A setting without what it would be by default."""
    if isinstance(written, list) and all(isinstance(node, Node) for node in written):
        return [short_node(node) for node in written]
    return resolved

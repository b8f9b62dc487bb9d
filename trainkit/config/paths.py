"""Paths in a configuration: relative to its file, with `$env(NAME)` for what the environment says."""

from __future__ import annotations

import os
import re
from pathlib import Path

from trainkit.config.distill_settings import SELF, Distill, Teaching
from trainkit.config.document import Document, KeyPath
from trainkit.config.model_settings import Weights
from trainkit.config.settings import Experiment
from trainkit.config.walk import walk
from trainkit.errors import Problem

_ENVIRONMENT = re.compile(r"\$env\(([A-Za-z_][A-Za-z0-9_]*)\)|\$\$|\$")
_CURE = "Write $env(NAME) for a variable of the environment, $$ for a dollar; nothing else stands for a part of a path."


class PathError(ValueError):
    """A path cannot be made out; the message is for the user."""


def resolve_path(written: str, base: Path) -> Path:
    """The absolute path that a text stands for.

    Args:
        written: The text, with `$env(NAME)`, `$$` and `~`.
        base: What a relative path is relative to.

    Raises:
        PathError: If a variable is not set, or another `$` is there.
    """

    def put(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if match[1] is None:
            raise PathError(f"must be a path. Received: {written!r}. {_CURE}")
        if match[1] not in os.environ:
            raise PathError(f"the environment variable {match[1]} is not set. Received: {written!r}.")
        return os.environ[match[1]]

    return base / os.path.expanduser(_ENVIRONMENT.sub(put, written))


def resolve_paths(experiment: Experiment, document: Document) -> list[Problem]:
    """Make every path among the arguments of an experiment absolute; returns what is wrong with them."""
    problems = []
    for path, node in walk(experiment):
        for key, argument in node.signature.items():
            written = node.arguments.get(key)
            if argument.type == "path" and isinstance(written, str) and written not in argument.choices:
                at: KeyPath = (*path, node.class_name, key)
                try:
                    node.arguments[key] = str(resolve_path(written, document.base_directory(at)))
                except PathError as error:
                    problems.append(document.problem(at, str(error)))
    return problems


def resolve_weights(experiment: Experiment, document: Document) -> tuple[Experiment, list[Problem]]:
    """Make the path of `model.weights` absolute; it has its long form then."""
    written = experiment.model.weights
    if written is None:
        return experiment, []
    weights = Weights(file=written) if isinstance(written, str) else written
    at: KeyPath = ("model", "weights") if isinstance(written, str) else ("model", "weights", "file")
    try:
        path = str(resolve_path(weights.file, document.base_directory(at)))
    except PathError as error:
        return experiment, [document.problem(at, str(error))]
    model = experiment.model.model_copy(update={"weights": weights.model_copy(update={"file": path})})
    return experiment.model_copy(update={"model": model}), []


def resolve_teachers(experiment: Experiment, document: Document) -> tuple[Experiment, list[Problem]]:
    """Make the paths of teachers absolute; `distill` has its long form then."""
    training, fine_tune, problems = experiment.training, experiment.deploy.fine_tune, list[Problem]()

    def resolved(written: Teaching, *path: str, words: tuple[str, ...] = ()) -> Teaching:
        if written is None:
            return None
        at = path if isinstance(written, str) else (*path, "teacher")
        settings = Distill(teacher=written) if isinstance(written, str) else written
        if settings.teacher in words:
            return settings
        try:
            teacher = str(resolve_path(settings.teacher, document.base_directory(at)))
        except PathError as error:
            problems.append(document.problem(at, str(error)))
            return settings
        return settings.model_copy(update={"teacher": teacher})

    training = training.model_copy(update={"distill": resolved(training.distill, "training", "distill")})
    taught = resolved(fine_tune.distill, "deploy", "fine_tune", "distill", words=(SELF,))
    deploy = experiment.deploy.model_copy(update={"fine_tune": fine_tune.model_copy(update={"distill": taught})})
    return experiment.model_copy(update={"training": training, "deploy": deploy}), problems

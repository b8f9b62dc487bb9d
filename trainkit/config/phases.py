"""Rules of `training` that concern several keys: how long it lasts, and its phases."""

from __future__ import annotations

from collections.abc import Iterator

from trainkit.config.document import Document, KeyPath
from trainkit.config.settings import Experiment, Phase
from trainkit.errors import Problem

PHASES: KeyPath = ("training", "phases")


def check_phases(experiment: Experiment, document: Document) -> list[Problem]:
    """Everything that is wrong with the length and the phases of a training."""
    training, problems = experiment.training, []
    lengths = [key for key in ("epochs", "steps") if getattr(training, key) is not None]
    if training.phases is None:
        if len(lengths) == 2:
            message = "must not stand beside `epochs`: one of them says how long the training lasts."
            problems.append(document.problem(("training", "steps"), message, of_key=True))
        return problems
    for key in lengths:
        message = "must not stand beside `phases`, each of which says how long it lasts."
        problems.append(document.problem(("training", key), message, of_key=True))
    names: set[str] = set()
    for index, phase in enumerate(training.phases):
        found = [*_contradictions(phase), *_name_taken(phase, names)]
        problems += [document.problem((*PHASES, index, *path), told) for path, told in found]
        names.add(phase.name or "")
    return problems


def _contradictions(phase: Phase) -> Iterator[tuple[KeyPath, str]]:
    if phase.epochs is None and phase.steps is None:
        yield (), "must say how long it lasts: `epochs`, or `steps`."
    if phase.epochs is not None and phase.steps is not None:
        yield ("steps",), "must not stand beside `epochs`: one of them says how long the phase lasts."
    if phase.learning_rate is not None and phase.learning_rate_factor is not None:
        yield ("learning_rate_factor",), "must not stand beside `learning_rate`, which it would multiply."
    given = phase.optimizer is not None and "learning_rate" in phase.optimizer.arguments
    if given and phase.learning_rate is not None:
        yield ("learning_rate",), "must not stand beside the `learning_rate` of the phase's own optimizer."


def _name_taken(phase: Phase, names: set[str]) -> Iterator[tuple[KeyPath, str]]:
    if phase.name in names:
        yield ("name",), f"must be a name of its own. Received: {phase.name!r} a second time."

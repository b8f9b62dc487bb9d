"""What becomes of a training whose numbers are not finite any more: where that began, and whether to go back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trainkit.errors import TrainingError
from trainkit.training.append_only import cut_back
from trainkit.training.checkpointing import NotFiniteError
from trainkit.training.diagnosis import first_bad_step
from trainkit.training.finite import Finding
from trainkit.training.log import say
from trainkit.training.restoring import read_state
from trainkit.training.session import Session

_OF_THE_DATA = ("input", "target", "sample weight")
_MOST_SAMPLES = 3


def go_back(training: Session, error: NotFiniteError) -> float:
    """Find where it began, and set the state back to the last good checkpoint if the config asks for that.

    Args:
        training: The training.
        error: How it was noticed.

    Returns:
        What the learning rate is to be multiplied by.

    Raises:
        TrainingError: If the training is to end, with the step and the layer where it began.
    """
    state, policy = training.state, training.prepared.config.experiment.training.when_nan
    noticed, rollbacks = state.position.step, state.rollbacks
    step = _restore(training, error)
    found = _replay(training, until=noticed)
    told = str(error) if found is None else _told(training, *found)
    if _several(training):
        told += " One device finds the step and the layer: go on there with training.strategy=OneDevice."
    end = f"The checkpoint of step {step:,} is the last good one."
    is_of_data = found is not None and found[1].where in _OF_THE_DATA
    if policy.action == "stop":
        cure = f" From there with a lower rate: trainkit fit --resume {training.run.directory} training.on_nan=rollback"
        raise TrainingError(f"{told} {end}{'' if is_of_data else cure}") from error
    if is_of_data:
        raise TrainingError(f"{told} Going back does not help against that. {end}") from error
    if rollbacks >= policy.times:
        raise TrainingError(f"{told} It went back {rollbacks} times before. {end}") from error
    state.rollbacks, state.rate_factor = rollbacks + 1, state.rate_factor * policy.factor
    rate = f"the learning rate is multiplied by {policy.factor:g}"
    say(training.console, f"{told} Back to step {step:,}; {rate} ({state.rollbacks} of {policy.times})")
    return policy.factor


def _restore(training: Session, error: NotFiniteError) -> int:
    """Set the state to that of the newest good checkpoint, and cut the files that grow; returns its step."""
    step = training.team.share(training.checkpoints.newest()[0])
    if step is None:
        raise TrainingError(f"{error} No checkpoint is left to go back to.") from error
    vars(training.state).update(vars(read_state(training.checkpoints, step)))
    cut_back(training.run, training.state)
    return step


def _replay(training: Session, *, until: int) -> tuple[int, Finding] | None:
    """Train once more from the checkpoint, step by step, until a number is not finite: which step, and what it was."""
    first = training.state.position.step
    if until <= first or _several(training):
        return None
    say(training.console, f"a number is not finite any more: looking for it from step {first:,} on")
    _set_up(training)
    model = training.prepared.model
    model._train_counter.assign(first)
    batches = training.batches.dataset(first).take(until - first)
    counter = [model._train_counter]

    def train(batch: Any) -> float:
        return model.train_on_batch(*batch, return_dict=True)["loss"]  # a metric may be NaN, and mean no harm

    return first_bad_step(model, batches, train, others=counter, first_step=first)


def _several(training: Session) -> bool:
    """Whether there are several replicas, which cannot be looked into step by step."""
    return training.prepared.model.distribute_strategy.num_replicas_in_sync > 1


def _set_up(training: Session) -> None:
    """Set the model up as it was when the step after the checkpoint began: for the next phase, if that began there."""
    before = training.state.position
    length = training.set_up(from_checkpoint=True)
    if before.is_over(length.epochs):
        training.state.position = replace(before)
        training.state.position.next_phase()
        training.set_up(from_checkpoint=False)
        training.state.position = before


def _told(training: Session, step: int, finding: Finding) -> str:
    text = f"step {step + 1:,}: {finding}"
    if not text.endswith((".", "!")):
        text += "."
    few = _MOST_SAMPLES if finding.where not in _OF_THE_DATA else len(finding.samples)
    if not finding.samples or len(finding.samples) > few:
        return text
    origins = training.batches.origins(step)
    named = ", ".join(origins[sample] for sample in finding.samples[:_MOST_SAMPLES])
    return f"{text} These are {named}{', …' if len(finding.samples) > _MOST_SAMPLES else ''}."

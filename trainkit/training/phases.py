"""`training.phases`: the parts of a training, what learns in each, and with which optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trainkit.config import Config, Experiment, KeyPath, Node, SettingError
from trainkit.config import Phase as Written
from trainkit.data import Split
from trainkit.framework import tf
from trainkit.models.patterns import fits, unknown_pattern
from trainkit.models.weights import weight_count
from trainkit.objects import build
from trainkit.training.compile import schedule_scope
from trainkit.training.length import DEFAULT_EPOCHS, Length, length_of
from trainkit.training.optimizer_rules import check_optimizer
from trainkit.training.scaled import Scaled

AT: KeyPath = ("training",)
States = Mapping[str, tuple[bool, ...]]
"""Whether each layer learns, and each layer in it, by its name."""


@dataclass(frozen=True)
class Rule:
    """That layers learn, or do not.

    Args:
        pattern: Of the names of the layers.
        trainable: Whether they learn.
        path: Where it is written.
    """

    pattern: str
    trainable: bool
    path: KeyPath


@dataclass(frozen=True)
class Phase:
    """A part of a training.

    Args:
        name: What it is called; `""` where it is the whole training.
        path: Where it is written.
        epochs: How many epochs it lasts; by default 10.
        steps: Else how many steps.
        rules: Which layers learn; the last that fits a layer holds for it.
        optimizer: Its optimizer.
        learning_rate: What stands in the place of the optimizer's, if anything.
        learning_rate_factor: What the optimizer's learning rate is multiplied by.
        callbacks: Its callbacks.
        states: Whether each layer learns, once the network is known: see `with_states`.
        learning: How many parameters learn in it.
        frozen: How many do not, of layers that a pattern or the network itself keeps from it.
    """

    name: str
    path: KeyPath
    epochs: int | None
    steps: int | None
    rules: tuple[Rule, ...]
    optimizer: Node
    learning_rate: float | Node | None
    learning_rate_factor: float
    callbacks: list[Node]
    states: States = field(default_factory=dict)
    learning: int = 0
    frozen: int = 0

    def length(self, experiment: Experiment, split: Split) -> Length:
        """How long it lasts on some samples."""
        return length_of(experiment, split, epochs=self.epochs, steps=self.steps)


def phases_of(experiment: Experiment) -> tuple[Phase, ...]:
    """The phases of a training, one after the other; one where none are written."""
    training = experiment.training
    common = (*_rules(training.freeze, training.unfreeze, AT),)
    whole = Phase("", AT, training.epochs, training.steps, common, training.optimizer, None, 1.0, training.callbacks)
    if training.phases is None:
        return (whole,)
    return tuple(_phase(whole, index, written) for index, written in enumerate(training.phases))


def with_states(phases: Sequence[Phase], model: Any) -> tuple[Phase, ...]:
    """Find out what learns in each phase.

    Args:
        phases: As `phases_of` gives them.
        model: The network as it was built: a layer that no pattern fits learns as it does there.

    Raises:
        SettingError: If a pattern fits no layer, or nothing learns in a phase.
    """
    names = [layer.name for layer in model.layers]
    own = {layer.name: tuple(one.trainable for one in layer._flatten_layers()) for layer in model.layers}
    for rule in dict.fromkeys(rule for phase in phases for rule in phase.rules):
        if told := unknown_pattern(rule.pattern, names):
            raise SettingError(rule.path, told)
    found = []
    for phase in phases:
        states = {name: _state(phase, name, own[name]) for name in names}
        _set(model, states)
        learning = weight_count(model.trainable_weights)
        frozen = weight_count(weight for layer in model.layers if not layer.trainable for weight in layer.weights)
        found.append(replace(phase, states=states, learning=learning, frozen=frozen))
    _set(model, own)
    if model.trainable_weights:
        _check_learns(found)
    return tuple(found)


def apply_phase(model: Any, phase: Phase) -> None:
    """Let those layers of a network learn that learn in a phase; it has to be compiled after that."""
    _set(model, phase.states)


def phase_lines(phases: Sequence[Phase]) -> Iterator[str]:
    """What learns in each phase; nothing where all learns in the one that there is."""
    for phase in phases:
        told = f"{phase.learning:,} parameters learn" + (f", {phase.frozen:,} are frozen" if phase.frozen else "")
        count, unit = (phase.steps, "step") if phase.steps else (phase.epochs or DEFAULT_EPOCHS, "epoch")
        length = f"{count:,} {unit}{'' if count == 1 else 's'}"
        if phase.name:
            yield f"{phase.name}, {length}: {told}"
        elif phase.frozen:
            yield told


def optimizer_of(config: Config, split: Split, phase: Phase, *, rate_factor: float = 1.0) -> Any:
    """The optimizer of a phase; in a schedule, `$steps` are those of the phase.

    Args:
        config: What is trained.
        split: The training samples.
        phase: The phase.
        rate_factor: What its learning rate, a number or a schedule, is multiplied by besides.
    """
    length, one_update = phase.length(config.experiment, split), config.experiment.training.gradient_accumulation_steps
    if one_update > length.steps:
        rule = f"must be at most {length.steps:,}, the steps of the training: else there is no update"
        raise SettingError((*AT, "gradient_accumulation_steps"), f"{rule}. Received: {one_update:,}.")
    scope = schedule_scope(config, split, length)
    node = phase.optimizer
    check_optimizer(node)
    if phase.learning_rate is not None:
        _check_takes_rate(node, phase, "learning_rate")
        node = replace(node, arguments=node.arguments | {"learning_rate": phase.learning_rate}, origin=node)
    optimizer = build(node, scope)
    factor = phase.learning_rate_factor * rate_factor
    if factor == 1:
        return optimizer
    if phase.learning_rate_factor != 1:
        _check_takes_rate(node, phase, "learning_rate_factor")
    rate, arguments = optimizer._learning_rate, optimizer.get_config()
    if isinstance(rate, tf.keras.optimizers.schedules.LearningRateSchedule):
        slower: Any = tf.keras.optimizers.schedules.serialize(Scaled(rate, factor))
    else:
        written = node.arguments.get("learning_rate", node.signature["learning_rate"].default)
        slower = (written if isinstance(written, int | float) else float(rate.numpy())) * factor
    return type(optimizer).from_config(arguments | {"learning_rate": slower})


def _phase(whole: Phase, index: int, written: Written) -> Phase:
    path = (*AT, "phases", index)
    return Phase(
        written.name or f"phase{index + 1}",
        path,
        written.epochs,
        written.steps,
        (*whole.rules, *_rules(written.freeze, written.unfreeze, path)),
        written.optimizer or whole.optimizer,
        written.learning_rate,
        written.learning_rate_factor or 1.0,
        whole.callbacks if written.callbacks is None else written.callbacks,
    )


def _rules(freeze: Sequence[str], unfreeze: Sequence[str], path: KeyPath) -> Iterator[Rule]:
    for key, patterns in (("freeze", freeze), ("unfreeze", unfreeze)):
        for index, pattern in enumerate(patterns):
            yield Rule(pattern, key == "unfreeze", (*path, key, index))


def _state(phase: Phase, name: str, own: tuple[bool, ...]) -> tuple[bool, ...]:
    rules = [rule for rule in phase.rules if fits(rule.pattern, name)]
    return (rules[-1].trainable,) * len(own) if rules else own


def _check_learns(phases: Sequence[Phase]) -> None:
    """Refuse a phase in which nothing learns."""
    for phase in phases:
        if not phase.learning:
            path = next(rule.path for rule in reversed(phase.rules) if not rule.trainable)
            message = "must leave layers that learn: nothing does. Freeze fewer, or `unfreeze` some."
            raise SettingError(path[:-1], message)


def _set(model: Any, states: States) -> None:
    for layer in model.layers:
        for one, trainable in zip(layer._flatten_layers(), states[layer.name], strict=True):
            one.trainable = trainable  # of a layer around others it sets theirs, too, which come next


def _check_takes_rate(node: Node, phase: Phase, key: str) -> None:
    if "learning_rate" not in node.signature:
        message = f"must be left out: {node.class_name} has no `learning_rate`."
        raise SettingError((*phase.path, key), message)

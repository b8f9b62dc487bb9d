"""A checked config -> data and a compiled model, before anything is written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainkit.config import Best, Config, Distill, Experiment, Node, NodeError, SettingError
from trainkit.data import Facts, Split, Splits, load_data
from trainkit.data.splits import Change
from trainkit.framework import tf
from trainkit.models import build_model
from trainkit.objects import build, first_sentence
from trainkit.registry import did_you_mean
from trainkit.training.adapt import adapting
from trainkit.training.batches import Batches
from trainkit.training.compile import compile_model
from trainkit.training.determinism import check_callbacks, check_strict, seed_everything
from trainkit.training.distillation import Teacher, lesson_of, teach, teacher_of
from trainkit.training.distillation.teacher import AT as DISTILL
from trainkit.training.distillation.teacher import telling
from trainkit.training.execution.rules import check_execution
from trainkit.training.head import check_head, head_notes
from trainkit.training.multipliers import check_multipliers
from trainkit.training.outputs import Output, logged_names, outputs_of
from trainkit.training.padding import padding_notes
from trainkit.training.phases import Phase, apply_phase, optimizer_of, phases_of, with_states
from trainkit.training.pipeline import training_change
from trainkit.training.precision import in_precision
from trainkit.training.random_streams import key_random_layers
from trainkit.training.scale.rules import check_replicas
from trainkit.training.trial import try_one_batch
from trainkit.training.tuning_rate import check_tuning_rate
from trainkit.training.weights import EarlierWeights, load_weights

_TAKES_MISSING = ("Impute", "Discretization")
"""Layers that know what to do with NaN."""


@dataclass(frozen=True)
class Prepared:
    """Everything that a training needs.

    Args:
        config: The configuration.
        splits: The data.
        model: The compiled `tf.keras.Model`.
        outputs: What is learned at each output.
        callbacks: The callbacks of the first phase, built.
        best: How the best epoch is chosen.
        change: What becomes of each training batch, if anything.
        phases: The parts of the training, in their order; the model is compiled for the first.
        weights: What the model took of an earlier one, if anything.
        teacher: Whose answers it learns besides, if anyone's.
    """

    config: Config
    splits: Splits[Split]
    model: Any
    outputs: Mapping[str, Output]
    best: Best
    change: Change | None = None
    phases: tuple[Phase, ...] = ()
    weights: EarlierWeights | None = None
    teacher: Teacher | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """Samples of each split that there is."""
        return {name: split.size for name, split in self.splits.present.items()}

    def batches(self, seed: int) -> Batches:
        """The training batches, in the order that a seed gives."""
        data = self.config.experiment.data
        augments = bool(data.augment)
        return Batches(self.splits.train, data.batch_size, seed=seed, change=self.change, augments=augments)


def prepare(config: Config, *, strategy: Any = None, seed: int | None = None, weights: bool = True) -> Prepared:
    """Load the data, build and compile the model.

    Args:
        config: The configuration.
        strategy: The `tf.distribute.Strategy` that the model is made for; by default TensorFlow's own, of one device.
        seed: Of weights, order and random layers; by default the config's.
        weights: Whether `model.weights` is read; it is not where the model gets others at once.

    Raises:
        ConfigError: With the place in the file, if the data, the network or the training cannot be made so.
    """
    experiment, strategy = config.experiment, strategy or tf.distribute.get_strategy()
    splits, teacher = load_data(config), teacher_of(config, strategy)
    seed = experiment.seed if seed is None else seed
    seed_everything(experiment, seed)
    facts = splits.train.facts
    outputs = outputs_of(experiment, facts)
    known = logged_names(outputs, validation=splits.validation is not None, distilled=teacher is not None)
    with config.locating():
        config.check_size()
        adapt = adapting(splits.train, batch_size=experiment.data.batch_size)
        with strategy.scope():
            model = build_model(
                experiment.model, facts.values, name=experiment.name, line_of=config.line_of, adapt=adapt
            )
            earlier = load_weights(config, model) if weights else None
            model = in_precision(config, model)
        phases = with_states(phases_of(experiment), model)
        _check_missing(experiment, splits)
        if config.custom_code:
            _check_saving(model)
        for output in outputs.values():
            check_head(config, model, output)
        check_execution(experiment.training, splits.train)
        check_replicas(experiment.training, outputs.values(), strategy)
        change = training_change(config, facts, outputs, seed=seed)
        try_one_batch(config, model, splits.train, outputs)
        splits = replace(
            splits, notes=(*splits.notes, *head_notes(model, outputs.values()), *padding_notes(model, splits.train))
        )
        check_multipliers(model, experiment.training.learning_rate_multipliers or {})
        with strategy.scope():
            optimizers = [optimizer_of(config, splits.train, phase) for phase in phases]
        check_tuning_rate(config, splits.train)
        callbacks = [[build(node, facts.values) for node in phase.callbacks] for phase in phases]
        for phase, optimizer, built in zip(phases, optimizers, callbacks, strict=True):
            _check_learning_rate(optimizer, phase.callbacks)
            _check_monitors(phase.callbacks, built, known)
            _check_folders(phase.callbacks, built)
        apply_phase(model, phases[0])
        with strategy.scope():
            model = _taught(config, model, teacher, facts)
            compile_model(config, model, splits.train, outputs, optimizers[0])
        key_random_layers(model, seed=seed, step=model._train_counter)
        if experiment.training.determinism == "strict":
            check_callbacks(phases, callbacks)
            check_strict(model, phases, splits.train.batches(experiment.data.batch_size, seed=seed, change=change))
    return Prepared(config, splits, model, outputs, _best(config, known), change, phases, earlier, teacher)


def _taught(config: Config, model: Any, teacher: Teacher | None, facts: Facts) -> Any:
    """The model, or where there is a teacher, one of the same layers that learns from that, too."""
    settings = config.experiment.training.distill
    if teacher is None or not isinstance(settings, Distill):
        return model
    with telling(config, DISTILL):
        return teach(model, lesson_of(model, teacher, settings, config.experiment, facts))


def _check_missing(experiment: Experiment, splits: Splits[Split]) -> None:
    """Refuse missing numbers that no layer fills: NaN becomes 0 behind relu, and every answer means nothing."""
    if any(call.node.class_name in _TAKES_MISSING for call in experiment.model.network.calls.values()):
        return
    for role, split in splits.present.items():
        for name in split.facts.inputs:
            if (index := split.first_missing(name)) is not None:
                told = f"{name!r} has missing numbers ({role}: {split.original(index)})"
                cure = "Put Impute first in `model.preprocess`, or set `missing: drop` in the source."
                raise SettingError(("data", "source"), f"the input {told}, and no layer fills them. {cure}")


def _check_saving(model: Any) -> None:
    """Refuse a network with Python code of one's own that Keras could train, but not save and read back."""
    try:
        type(model).from_config(model.get_config())
    except Exception as error:  # whatever that code does
        message = f"the network cannot be saved and read back: {type(error).__name__}: {first_sentence(error)}."
        raise SettingError(("custom_code",), message) from error


def _best(config: Config, known: list[str]) -> Best:
    best = config.experiment.training.best
    if best is None:
        return Best(monitor="val_loss" if "val_loss" in known else "loss")
    if best.monitor not in known:
        message = _unknown_monitor(best.monitor, known)
        raise config.document.error(("training", "best", "monitor"), message)
    if best.mode is None:
        message = f"must say whether less of {best.monitor!r} is better, `mode: min`, or more, `mode: max`."
        raise config.document.error(("training", "best"), message)
    return best


def _check_learning_rate(optimizer: Any, nodes: list[Node]) -> None:
    """Keras lets a schedule win over ReduceLROnPlateau without a word."""
    schedule = tf.keras.optimizers.schedules.LearningRateSchedule
    for node in nodes:
        if node.class_name == "ReduceLROnPlateau" and isinstance(optimizer._learning_rate, schedule):
            message = "ReduceLROnPlateau has no effect on a schedule. Give the optimizer a number as learning_rate."
            raise NodeError(node, message)


def _check_monitors(nodes: list[Node], callbacks: list[Any], known: list[str]) -> None:
    """Keras only warns, epoch after epoch, when a callback monitors what does not exist."""
    for node, callback in zip(nodes, callbacks, strict=True):
        monitor = getattr(callback, "monitor", None)
        if not getattr(callback, "save_best_only", True):  # a ModelCheckpoint that monitors nothing
            continue
        if monitor is not None and monitor not in known:
            raise NodeError(node, _unknown_monitor(monitor, known), argument="monitor")


def _check_folders(nodes: list[Node], callbacks: list[Any]) -> None:
    """A `CSVLogger` makes no folder."""
    for node, callback in zip(nodes, callbacks, strict=True):
        if isinstance(callback, tf.keras.callbacks.CSVLogger):
            filepath = Path(callback.filename).absolute()
            folder = filepath.parent
            if not os.access(filepath if filepath.exists() else folder, os.W_OK):
                message = f"`filename` must be a file that can be written. Received: {callback.filename!r}."
                cure = "" if folder.exists() else f" Make {folder}."
                raise NodeError(node, message + cure, argument="filename")


def _unknown_monitor(monitor: str, known: list[str]) -> str:
    return (
        f"must be a metric of this training: {', '.join(known)}. Received: {monitor!r}.{did_you_mean(monitor, known)}"
    )

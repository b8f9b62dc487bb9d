"""A checked config -> data and a compiled model, before anything is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from trainkit.config import Best, Config, Last, Node, NodeError, metric_names
from trainkit.data import Splits, load_data
from trainkit.data.sources import SOURCES
from trainkit.errors import DataError
from trainkit.framework import tf
from trainkit.inference.predictor import fits
from trainkit.models import build_model
from trainkit.objects import build, build_registered
from trainkit.registry import did_you_mean
from trainkit.training.adapt import adapt_normalization
from trainkit.training.head import check_head
from trainkit.training.trial import try_one_batch


@dataclass(frozen=True)
class Prepared:
    """Everything that a training needs.

    Args:
        config: The configuration.
        splits: The data.
        model: The compiled `tf.keras.Model`.
        callbacks: The callbacks of the config, built.
        best: How the best epoch is chosen.
    """

    config: Config
    splits: Splits
    model: Any
    callbacks: list[Any]
    best: Best

    @property
    def steps_per_epoch(self) -> int:
        """Training steps of an epoch; the last batch may be smaller."""
        return _steps_per_epoch(self.config, self.splits)

    @property
    def sizes(self) -> dict[str, int]:
        """Samples of each split that there is."""
        named = {"train": self.splits.train, "validation": self.splits.validation, "test": self.splits.test}
        return {name: split.size for name, split in named.items() if split is not None}


def prepare(config: Config) -> Prepared:
    """Load the data, build and compile the model.

    Raises:
        ConfigError: With the place in the file, if the data, the network or the training cannot be made so.
    """
    experiment = config.experiment
    splits = load_splits(config)
    tf.keras.utils.set_random_seed(experiment.seed)
    facts = splits.train.facts
    if not fits(facts.input_shape, tuple(experiment.model.input)):
        message = f"must be the shape of the data, {list(facts.input_shape)}. Received: {experiment.model.input}."
        raise config.document.error(("model", "input"), message)
    with config.locating():
        model = build_model(experiment.model, facts.values, name=experiment.name, line_of=config.line_of)
        check_head(config, model, facts)
        try_one_batch(config, model, splits.train)
        _compile(config, model, splits)
        adapt_normalization(model, splits.train, batch_size=experiment.data.batch_size)
        callbacks = [build(node, facts.values) for node in experiment.training.callbacks]
        _check_learning_rate(model, experiment.training.callbacks)
        known = _monitored_names(config, splits)
        _check_monitors(experiment.training.callbacks, callbacks, known)
    return Prepared(config, splits, model, callbacks, _best(config, known))


def load_splits(config: Config) -> Splits:
    """Load the data of a config.

    Raises:
        ConfigError: With the place of the source, if the data cannot be used.
    """
    data = config.experiment.data
    last = data.validation_split.last if isinstance(data.validation_split, Last) else None
    fraction = None if isinstance(data.validation_split, Last) else data.validation_split

    def make_splits() -> Splits:
        return build_registered(data.source, SOURCES, {})

    with config.locating():
        try:
            return load_data(make_splits, fraction=fraction, last=last, seed=config.experiment.seed)
        except DataError as error:
            raise NodeError(data.source, str(error)) from error


def _steps_per_epoch(config: Config, splits: Splits) -> int:
    return math.ceil(splits.train.size / config.experiment.data.batch_size)


def _compile(config: Config, model: Any, splits: Splits) -> None:
    training = config.experiment.training
    steps = _steps_per_epoch(config, splits)
    values = splits.train.facts.values
    scope = values | {"epochs": training.epochs, "steps": training.epochs * steps, "steps_per_epoch": steps}
    (output,) = model.output_names
    model.compile(
        optimizer=build(training.optimizer, scope),
        loss={output: build(training.loss, values)},
        metrics={output: [build(node, values, name=name) for node, name in _named_metrics(config)]},
    )


def _named_metrics(config: Config) -> list[tuple[Node, str]]:
    """The metrics with the names that logs call them by; Keras' own depend on what the process has built before."""
    nodes = config.experiment.training.metrics
    return list(zip(nodes, metric_names((node.class_name, node.name) for node in nodes), strict=True))


def _monitored_names(config: Config, splits: Splits) -> list[str]:
    """What the logs of an epoch will hold."""
    names = ["loss", *(name for _, name in _named_metrics(config))]
    return names + [f"val_{name}" for name in names] if splits.validation else names


def _best(config: Config, known: list[str]) -> Best:
    best = config.experiment.training.best
    if best is None:
        return Best(monitor="val_loss" if "val_loss" in known else "loss")
    if best.monitor not in known:
        message = _unknown_monitor(best.monitor, known)
        raise config.document.error(("training", "best", "monitor"), message)
    return best


def _check_learning_rate(model: Any, nodes: list[Node]) -> None:
    """Keras lets a schedule win over ReduceLROnPlateau without a word."""
    schedule = tf.keras.optimizers.schedules.LearningRateSchedule
    for node in nodes:
        if node.class_name == "ReduceLROnPlateau" and isinstance(model.optimizer._learning_rate, schedule):
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


def _unknown_monitor(monitor: str, known: list[str]) -> str:
    return (
        f"must be a metric of this training: {', '.join(known)}. Received: {monitor!r}.{did_you_mean(monitor, known)}"
    )

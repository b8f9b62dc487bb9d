"""Optimizer, losses and metrics of a config, put to a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainkit.config import Config
from trainkit.data import Split
from trainkit.objects import build
from trainkit.training.length import Length
from trainkit.training.outputs import Output


def build_optimizer(config: Config, split: Split, length: Length) -> Any:
    """The optimizer of a config; its schedule, if it has one, lasts as long as the training."""
    return build(config.experiment.training.optimizer, schedule_scope(split, length))


def schedule_scope(split: Split, length: Length) -> dict[str, int]:
    """What `$name` stands for in a schedule over a training of some length."""
    return split.facts.values | {
        "epochs": length.epochs,
        "steps": length.steps,
        "steps_per_epoch": length.steps_per_epoch,
    }


def compile_model(config: Config, model: Any, split: Split, outputs: Mapping[str, Output], optimizer: Any) -> None:
    """Compile a model with the losses and metrics of a config.

    Args:
        config: The configuration.
        model: A `tf.keras.Model` whose outputs have the names of the config's.
        split: Training samples, which tell the number of classes.
        outputs: What is learned at each output.
        optimizer: The optimizer.
    """
    training, values = config.experiment.training, split.facts.values
    model.compile(
        optimizer=optimizer,
        loss={name: build(output.loss, values) for name, output in outputs.items()},
        loss_weights=training.loss_weights and {name: training.loss_weights.get(name, 1.0) for name in outputs},
        metrics={
            name: [build(node, values, name=metric) for metric, node in output.metrics.items()]
            for name, output in outputs.items()
        },
    )

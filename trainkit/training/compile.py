"""Optimizer, losses and metrics of a config, put to a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainkit.config import Config
from trainkit.data import Split
from trainkit.objects import build
from trainkit.training.length import Length
from trainkit.training.loss_scale import loss_scaled
from trainkit.training.multipliers import multipliers_of
from trainkit.training.optimizer import extend
from trainkit.training.outputs import Output
from trainkit.training.pipeline import encode
from trainkit.training.random_streams import key_random_layers


def schedule_scope(config: Config, split: Split, length: Length) -> dict[str, int]:
    """What `$name` stands for in a schedule over a training of some length; its steps are updates, not batches."""
    one_update = config.experiment.training.gradient_accumulation_steps
    steps = {"steps": length.steps, "steps_per_epoch": length.steps_per_epoch}
    updates = {name: max(count // one_update, 1) for name, count in steps.items()}
    return split.facts.values | {"epochs": length.epochs} | updates


def compile_model(config: Config, model: Any, split: Split, outputs: Mapping[str, Output], optimizer: Any) -> None:
    """Compile a model with the losses and metrics of a config.

    Args:
        config: The configuration.
        model: A `tf.keras.Model` whose outputs have the names of the config's.
        split: Training samples, which tell the number of classes.
        outputs: What is learned at each output.
        optimizer: The optimizer; it is made to accumulate gradients and to multiply rates as the config says,
            and to scale the loss where the model computes in float16.
    """
    training, values = config.experiment.training, split.facts.values
    optimizer = extend(
        optimizer,
        gradient_accumulation_steps=training.gradient_accumulation_steps,
        multipliers=multipliers_of(model, training.learning_rate_multipliers or {}),
    )
    model.compile(
        optimizer=loss_scaled(optimizer, model),
        loss={name: build(output.loss, values) for name, output in outputs.items()},
        loss_weights=training.loss_weights and {name: training.loss_weights.get(name, 1.0) for name in outputs},
        metrics={
            name: [build(node, values, name=metric) for metric, node in output.metrics.items()]
            for name, output in outputs.items()
        },
        run_eagerly=training.graph == "eager",
    )


def make_resumable(model: Any, split: Split, outputs: Mapping[str, Output], *, seed: int) -> None:
    """Give a model all that a checkpoint has of it: Keras makes some variables with the first batch only.

    Args:
        model: A compiled `tf.keras.Model`; its random layers draw by the seed and the step from now on.
        split: Samples, of which one is looked at.
        outputs: What is learned at each output.
        seed: Of the random layers.
    """
    key_random_layers(model, seed=seed, step=model._train_counter)
    inputs, targets, weights = split.first(1)
    targets = encode(targets, outputs)

    def measure() -> None:
        answers = model(inputs, training=False)
        model.compute_loss(inputs, targets, answers, weights)
        model.compute_metrics(inputs, targets, answers, weights)

    with model.distribute_strategy.scope():
        model.optimizer.build(model.trainable_variables)
        model.distribute_strategy.run(measure)
    model.reset_metrics()

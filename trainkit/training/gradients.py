"""The gradients of a run's loss, for methods that ask what matters and train nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from trainkit.config import Config
from trainkit.data import Split
from trainkit.framework import tf
from trainkit.objects import build
from trainkit.training.batches import Batches
from trainkit.training.outputs import outputs_of


def gradients(
    config: Config, split: Split, model: Any, variables: Sequence[Any], *, batches: int, seed: int
) -> Iterator[list[np.ndarray]]:
    """The gradients on each of some batches: of the loss of a config, without regularization and augmentation.

    Args:
        config: The configuration.
        split: The samples.
        model: A `tf.keras.Model` with the outputs of the config, in their order; it answers as in inference.
        variables: What the loss is derived by, frozen variables too.
        batches: How many; never more than there are.
        seed: Of the order of the samples.

    Yields:
        One array for each variable.
    """
    experiment, facts = config.experiment, split.facts
    outputs = outputs_of(experiment, facts)
    factors = experiment.training.loss_weights or {}
    losses = {name: build(output.loss, facts.values) for name, output in outputs.items()}

    @tf.function(reduce_retracing=True)
    def derive(inputs: Any, targets: Any, weights: Any) -> list[Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for variable in variables:
                tape.watch(variable)
            answers = tf.nest.flatten(model(inputs, training=False))
            loss = tf.add_n(
                [
                    factors.get(name, 1.0) * losses[name](output.expected(targets[name]), answer, weights.get(name))
                    for (name, output), answer in zip(outputs.items(), answers, strict=True)
                ]
            )
        return tape.gradient(loss, list(variables), unconnected_gradients=tf.UnconnectedGradients.ZERO)

    order = Batches(split, experiment.data.batch_size, seed=seed)
    for inputs, targets, weights in islice(order.dataset(0), min(batches, order.steps_per_pass)):
        yield [gradient.numpy() for gradient in derive(inputs, targets, weights)]

"""The validation of a training: measures its model on the validation samples, time after time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainkit.config import Experiment
from trainkit.data import Split
from trainkit.training.batches import Batches
from trainkit.training.execution import Evaluator, Plan, feed_of, fits
from trainkit.training.loop import Validation
from trainkit.training.outputs import Output
from trainkit.training.pipeline import encoding

STEPS = 64
"""Steps of a call."""


def validation_of(
    model: Any, split: Split | None, experiment: Experiment, outputs: Mapping[str, Output], callbacks: list[Any]
) -> Validation | None:
    """What validates a model.

    Args:
        model: A compiled `tf.keras.Model`.
        split: The validation samples; None gives None.
        experiment: What is trained.
        outputs: What is learned at each output.
        callbacks: Keras callbacks: those that are to be asked for every batch are.
    """
    if split is None:
        return None
    batches = Batches(split, experiment.data.batch_size, seed=None, change=encoding(outputs))
    is_strict = experiment.training.determinism == "strict"
    every_batch = is_strict or any(one._implements_test_batch_hooks() for one in callbacks)
    plan = Plan("device" if fits(batches) and not is_strict else "stream", "", 1 if every_batch else STEPS)
    return Validation(Evaluator(model, feed_of(batches, model.distribute_strategy, plan), plan), batches.steps_per_pass)

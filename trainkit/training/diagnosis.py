"""Where a NaN or Inf of a training came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from trainkit.framework import tf
from trainkit.models.calls import calls_of
from trainkit.training.distillation import Student
from trainkit.training.finite import (
    Finding,
    all_finite,
    examine,
    first_non_finite,
    learned_variables,
    model_variables,
    name_of,
    optimizer_variables,
)
from trainkit.training.loss_scale import is_stuck
from trainkit.training.outputs import DISTILLATION

Batch = tuple[Any, Any, Any]
"""Inputs, targets and sample weights, each a mapping by name; there may be no weights."""

_LOWER = "lower the learning rate, or clip the gradients (`clipnorm` of the optimizer)."
_WIDER = (
    "float16 ends at 65,504. Take `precision: mixed_bfloat16`, give the layer `dtype: float32`, or lower the learning "
    "rate."
)
_EARLIER = "the cause is an earlier step."
_MISSING = "put Impute first in `model.preprocess`, set `missing: drop` in the source, or mend the data."
_REGULARIZERS = "regularization"
_FAR_APART = "a number is too large in what the teacher or the network answers: " + _LOWER
_LOG_OF_0 = (
    "what the network answers is finite: the loss takes a logarithm or root of 0, or divides by it. With "
    "`from_logits: true`, and no softmax or sigmoid before it, a loss of Keras does neither."
)


def find_non_finite(model: Any, batch: Batch) -> Finding | None:
    """What is the first thing in a training step with a batch that is not finite, if anything is.

    NaN in the inputs is found only where it does harm: a layer may know what to do with it. The model is left as it
    was, its metrics, statistics and random streams included; what its keyed layers draw is what the step would draw.

    Args:
        model: A compiled functional `tf.keras.Model`, as it was before the step.
        batch: The batch of the step.

    Returns:
        The finding, or `None` if loss, gradients and statistics are finite.
    """
    found = _in_variables(model)
    if found is not None:
        return found
    inputs, targets, weights = (_as_tensors(part) for part in batch)
    step = _Step(model)
    found = _in_step(step, (inputs, targets, weights))
    given = _in_batch((inputs, targets, weights)) if found else None
    if given is None:
        return found
    left = _in_step(step, (_mended(inputs), _mended(targets), _mended(weights)))
    return given if left is None else left


def first_bad_step(
    model: Any,
    batches: Iterable[Batch],
    train_one_step: Callable[[Batch], Any],
    *,
    others: Sequence[Any] = (),
    first_step: int = 0,
) -> tuple[int, Finding] | None:
    """Train step by step until something is not finite.

    Args:
        model: A compiled model in a good state; it is left as it was before the bad step.
        batches: The batches of the training from there on.
        train_one_step: Trains the model with a batch; what it returns (a loss, logs or nothing) is looked at, too.
        others: Variables that a step changes besides those of model and optimizer: the step itself, say.
        first_step: The number of the first batch.

    Returns:
        The step and what was found in it, or `None` if all is finite to the end.
    """
    for step, batch in enumerate(batches, first_step):
        variables = [*_touched(model), *optimizer_variables(model), *others]
        before = [tf.identity(variable) for variable in variables]
        returned = train_one_step(batch)
        stuck = is_stuck(model.optimizer)
        if all_finite(learned_variables(model)) and _is_finite(returned) and not stuck:
            continue
        after = first_non_finite(learned_variables(model), where="update")
        after = after and replace(after, cure=_LOWER)
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        found = find_non_finite(model, batch) or after
        return step, found or Finding("gradient" if stuck else "loss", "the step", "NaN or Inf", 1, 1, cure=_LOWER)
    return None


def _is_finite(returned: Any) -> bool:
    values = [value for value in tf.nest.flatten(returned) if value is not None]
    return all(examine(value, where="loss", name="") is None for value in values)


def _in_variables(model: Any) -> Finding | None:
    found = first_non_finite(model_variables(model)) or first_non_finite(optimizer_variables(model), where="optimizer")
    return found and replace(found, cure=_EARLIER)


def _in_batch(batch: Batch) -> Finding | None:
    """What is not finite in what the data give."""
    for where, part in zip(("input", "target", "sample weight"), batch, strict=True):
        for name, value in part.items():
            found = examine(value, where=where, name=name, batch_size=int(value.shape[0]), cure=_MISSING)
            if found is not None:
                return found
    return None


def _in_step(step: _Step, batch: Batch) -> Finding | None:
    """The first thing that is not finite, if it reaches the loss, a gradient or the statistics of a layer."""
    with _left_as_it_was(step.model):
        outputs, losses, gradients = step(*batch)
        cures = {_REGULARIZERS: _LOWER, DISTILLATION: _FAR_APART}
        lost = [(value, "loss", name, cures.get(name, _LOG_OF_0)) for name, value in losses]
        learned = [(value, "gradient", name, _LOWER) for name, value in gradients]
        state = first_non_finite(step.model.non_trainable_variables, where="state")
        harmed = _first([*lost, *learned]) or (state and replace(state, cure=_LOWER))
    given = [(value, "output", name, _WIDER if value.dtype == tf.float16 else _LOWER) for name, value in outputs]
    return harmed and (_first(given, int(next(iter(batch[0].values())).shape[0])) or harmed)


def _first(values: list[tuple[Any, str, str, str]], batch_size: int = 0) -> Finding | None:
    for value, where, name, cure in values:
        found = examine(value, where=where, name=name, batch_size=batch_size, cure=cure)
        if found is not None:
            return found
    return None


class _Step:
    """Forward and backward pass of a model, which gives all that comes about in it.

    Args:
        model: A compiled functional `tf.keras.Model`.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        made = [(call.layer.name, tensor) for call in calls_of(model) for tensor in tf.nest.flatten(call.outputs)]
        self._names = [name for name, _ in made]
        self._all = tf.keras.Model(model.inputs, [[tensor for _, tensor in made], model.outputs], name=model.name)
        if not model.compiled_loss.built:
            model.compiled_loss.build(model.outputs if len(model.outputs) > 1 else model.outputs[0])
        self._pass = tf.function(self._passes, reduce_retracing=True)

    def __call__(self, inputs: Any, targets: Any, weights: Any) -> tuple[list[Any], list[Any], list[Any]]:
        """Names and values of what the layers give, of the losses and of the gradients."""
        outputs, losses, gradients = self._pass(inputs, targets, weights)
        names = [name_of(variable) for variable in self.model.trainable_variables]
        learned = [(name, value) for name, value in zip(names, gradients, strict=True) if value is not None]
        return list(zip(self._names, outputs, strict=True)), list(losses.items()), learned

    def _passes(self, inputs: Any, targets: Any, weights: Any) -> tuple[Any, dict[str, Any], list[Any]]:
        with tf.GradientTape() as tape:
            outputs, answers = self._all(inputs, training=True)
            answer = answers if len(answers) > 1 else answers[0]
            losses = {
                name: self.model.compiled_loss({name: target}, answer, {name: weights.get(name)})
                for name, target in targets.items()
            }
            if isinstance(self.model, Student):
                losses[DISTILLATION] = self.model.distillation(inputs, answer, weights)
            if self._all.losses:
                losses[_REGULARIZERS] = tf.add_n([tf.cast(loss, tf.float32) for loss in self._all.losses])
            total = tf.add_n([tf.cast(loss, tf.float32) for loss in losses.values()])
        gradients = tape.gradient(total, self.model.trainable_variables)
        dense = [value.values if isinstance(value, tf.IndexedSlices) else value for value in gradients]
        return [value if isinstance(value, tf.Tensor) else tf.constant(0) for value in outputs], losses, dense


@contextmanager
def _left_as_it_was(model: Any) -> Iterator[None]:
    variables = _touched(model)
    before = [tf.identity(variable) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def _touched(model: Any) -> list[Any]:
    """The variables that a forward pass and the loss may change, and those that are trained."""
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    generators = [vars(layer).get("_random_generator") for layer in model._flatten_layers()]
    states = [own.state for one in generators if (own := getattr(one, "_generator", None)) is not None]
    return list({id(variable): variable for variable in [*model_variables(model), *metrics, *states]}.values())


def _as_tensors(part: Any) -> dict[str, Any]:
    return {name: tf.convert_to_tensor(value) for name, value in (part or {}).items()}


def _mended(part: dict[str, Any]) -> dict[str, Any]:
    """With 0 where a number was not finite."""
    return {
        name: tf.where(tf.math.is_finite(value), value, tf.zeros_like(value)) if value.dtype.is_floating else value
        for name, value in part.items()
    }

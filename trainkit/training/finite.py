"""Is every number finite, and which is the first that is not?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.framework import tf
from trainkit.training.loss_scale import scale_variables

_MOST_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """A tensor of a training step that has NaN or Inf in it.

    Args:
        where: `input`, `target`, `sample weight`, `weight`, `optimizer`, `output`, `loss`, `gradient`, `state` or
            `update`; an `output` is that of a layer, a `state` what a layer keeps besides its weights.
        name: Of the input, the output of the network, the layer or the weight.
        kind: `NaN`, `Inf` or `NaN and Inf`.
        count: How many numbers of it are not finite.
        size: How many numbers it has.
        samples: In which samples of the batch they are, from 0, where that is known.
        cure: What can be done about it.
    """

    where: str
    name: str
    kind: str
    count: int
    size: int
    samples: tuple[int, ...] = ()
    cure: str = ""

    def __str__(self) -> str:
        share = f" ({self.count:,} of {self.size:,} numbers)" if self.size > 1 else ""
        told = f"{_SUBJECTS[self.where].format(name=f'`{self.name}`')} {self.kind}{share}{self._samples()}"
        return f"{told}: {self.cure}" if self.cure else told

    def _samples(self) -> str:
        if not self.samples:
            return ""
        shown = ", ".join(str(sample) for sample in self.samples[:_MOST_SHOWN])
        more = f" and {len(self.samples) - _MOST_SHOWN} more" if len(self.samples) > _MOST_SHOWN else ""
        return f" in sample{'s' if len(self.samples) > 1 else ''} {shown}{more} of the batch"


_SUBJECTS = {
    "input": "the input {name} has",
    "target": "the target {name} has",
    "sample weight": "the sample weights of {name} have",
    "weight": "the weight {name} was, before the step,",
    "optimizer": "the optimizer's {name} was, before the step,",
    "output": "the layer {name} gives",
    "loss": "the loss of {name} is",
    "gradient": "the gradient of {name} has",
    "state": "{name}, which a layer keeps of what it has seen, becomes",
    "update": "{name} becomes, in the optimizer's step,",
}


def all_finite(variables: Iterable[Any]) -> bool:
    """Whether no number of any variable is NaN or Inf; those of integers or text are passed over.

    Args:
        variables: `tf.Variable`s: those of `model_variables` and `optimizer_variables`.

    Example:
        >>> all_finite([tf.Variable([1.0, 2.0]), tf.Variable(3)]), all_finite([tf.Variable([1.0, float("nan")])])
        (True, False)
    """
    values = _floats(variables)
    return bool(_has_finite_norms(values)) or bool(_all_finite(values))


def has_finite_norms(variables: Iterable[Any]) -> Any:
    """Whether no number of any variable is NaN, Inf or huge, in one pass over each.

    Args:
        variables: `tf.Variable`s; those of integers or text are passed over.

    Returns:
        A tensor; False also where finite numbers are infinite when squared and added up.
    """
    return tf.reduce_all([tf.math.is_finite(tf.nn.l2_loss(variable)) for variable in _floats(variables)])


def model_variables(model: Any) -> list[Any]:
    """The variables of a model; vocabularies, which Keras lists among them, are none."""
    return [variable for variable in model.variables if isinstance(variable, tf.Variable)]


def optimizer_variables(model: Any) -> list[Any]:
    """The variables of the optimizer of a compiled model."""
    variables = model.optimizer.variables
    own = variables if isinstance(variables, list) else variables()  # a method of the older optimizers
    return [*own, *scale_variables(model.optimizer)]


def learned_variables(model: Any) -> list[Any]:
    """All that a training step of a compiled model changes: the variables of the model and of its optimizer."""
    return [*model_variables(model), *optimizer_variables(model)]


def _floats(variables: Iterable[Any]) -> list[Any]:
    return [variable for variable in variables if variable.dtype.is_floating]


_has_finite_norms = tf.function(has_finite_norms, reduce_retracing=True)


@tf.function(reduce_retracing=True)
def _all_finite(values: list[Any]) -> Any:
    return tf.reduce_all([tf.reduce_all(tf.math.is_finite(value)) for value in values])


def first_non_finite(variables: Iterable[Any], *, where: str = "weight") -> Finding | None:
    """The first variable with NaN or Inf in it.

    Args:
        variables: `tf.Variable`s.
        where: What they are: see `Finding`.
    """
    return next((found for one in variables if (found := examine(one, where=where, name=name_of(one)))), None)


def name_of(variable: Any) -> str:
    """The name of a variable as a path: of the layer or optimizer, and what it is there."""
    return str(variable.name).removesuffix(":0")


def examine(value: Any, *, where: str, name: str, batch_size: int = 0, cure: str = "") -> Finding | None:
    """What is not finite in a value.

    Args:
        value: Something that can be made an array; one that is not of real numbers is passed over.
        where: See `Finding`.
        name: See `Finding`.
        batch_size: How long the first axis is if it counts samples.
        cure: See `Finding`.
    """
    tensor = tf.convert_to_tensor(value)
    if not tensor.dtype.is_floating:
        return None
    numbers = np.asarray(tf.cast(tensor, tf.float32 if tensor.dtype.size < tf.float32.size else tensor.dtype))
    bad = ~np.isfinite(numbers)
    if not bad.any():
        return None
    has_nan, has_inf = bool(np.isnan(numbers).any()), bool(np.isinf(numbers).any())
    kind = " and ".join(name for name, has in (("NaN", has_nan), ("Inf", has_inf)) if has)
    samples: tuple[int, ...] = ()
    if numbers.ndim and len(numbers) == batch_size:
        samples = tuple(np.flatnonzero(bad.reshape(batch_size, -1).any(axis=1)).tolist())
    return Finding(where, name, kind, int(bad.sum()), numbers.size, samples, cure)

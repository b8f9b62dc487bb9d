"""A function of TensorFlow that a model calls on its tensors, and the steps that do the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainkit.framework import tf
from trainkit.models.describe.step import Inputs, Record, Ref, RefusalError, Size, Step, is_tensor
from trainkit.models.describe.values import plain, written

_OF_ANY_TYPE = {
    *("Add", "Concatenate", "Cropping1D", "Cropping2D", "Maximum", "Minimum", "Multiply", "Permute"),
    *("Reshape", "Subtract"),
}
"""Layers that also take whole numbers, and give such."""


class Operation:
    """One call of such a function.

    Args:
        call: Of a `TFOpLambda` or `SlicingOpLambda`.
        values: What the tensors of the graph are, by id.
        record: The steps are added to it.
    """

    def __init__(self, call: Any, values: Mapping[int, Any], record: Record) -> None:
        self.symbol: str = call.layer.symbol
        self.arguments, self.keywords = list(call.call_args), dict(call.call_kwargs)
        self.outputs = tf.nest.flatten(call.outputs)
        self._values, self._record = values, record

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """An argument as it was given: a tensor, or a value."""
        if position < len(self.arguments):
            return self.arguments[position]
        return self.keywords.get(name, default)

    def given(self, value: Any) -> Any:
        """What a tensor stands for, without a mask, or a value in plain form.

        TensorFlow knows nothing of masks: what it gives has none. So layers that know of them must not see one.
        """
        if not is_tensor(value):
            return plain(value)
        found = self._values[id(value)]
        if isinstance(found, Size) or getattr(value, "_keras_mask", None) is None:
            return found
        return self.layer("Reshape", {"target_shape": sizes(value.shape[1:])}, found)

    def tensor(self, position: int, name: str) -> Ref:
        """What an argument that has to be a tensor stands for.

        Raises:
            RefusalError: If it is none.
        """
        found = self.given(self.argument(position, name))
        if not isinstance(found, Ref):
            raise RefusalError(f"its {name} is no value of the network")
        return found

    def shape(self, position: int, name: str) -> tuple[int | None, ...]:
        """The shape of a tensor among the arguments, with the batch."""
        return tuple(self.argument(position, name).shape)

    def axis(self, value: Any, rank: int) -> int:
        """An axis, counted from the front.

        Raises:
            RefusalError: If it is that of the batch.
        """
        if type(value) is not int or value % rank == 0:
            raise RefusalError(f"it works along axis {value!r}, not inside of each sample")
        return value % rank

    def layer(self, class_name: str, arguments: Mapping[str, Any], inputs: Inputs) -> Step:
        """Add a step, which computes in the type that the function gives.

        Raises:
            RefusalError: If the layer does not compute in that type.
        """
        dtype = tf.as_dtype(self.outputs[0].dtype)
        extra = {"dtype": dtype.name} if dtype.is_floating and dtype != tf.float32 else {}
        if not dtype.is_floating and class_name not in _OF_ANY_TYPE:
            raise RefusalError(f"it gives {dtype.name}, for which no layer of Keras does the same")
        step = Step(class_name, {key: written(value) for key, value in arguments.items()} | extra, inputs)
        self._record.steps.append(step)
        return step

    def reshape(self, value: Ref, shape: Any) -> Step:
        """Give each sample another shape."""
        return self.layer("Reshape", {"target_shape": sizes(shape)}, value)


def sizes(shape: Any) -> list[int]:
    """The shape of a sample, with -1 for the one axis of any length.

    Raises:
        RefusalError: If there are several.
    """
    if sum(size is None for size in shape) > 1:
        raise RefusalError(f"the shape {tuple(shape)} has several axes of any length")
    return [-1 if size is None else int(size) for size in shape]


def product(shape: Any) -> int:
    """How many values a shape holds; -1 where it is open."""
    return -1 if any(size is None for size in shape) else math.prod(shape)


def is_number(value: Any) -> bool:
    """Whether an argument is one number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_vector(value: Any) -> bool:
    """Whether an argument is a number for each feature."""
    return isinstance(value, list) and bool(value) and all(map(is_number, value))


def negative(value: Any) -> Any:
    """Each number with the other sign."""
    return plain(-np.asarray(value, np.float64))

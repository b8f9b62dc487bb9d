"""The way of a raw column into a network: which layers at its start can be done before the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainkit.deploy.export.encodings import LOOKUPS, lookup_of, named
from trainkit.errors import ExportError
from trainkit.framework import tf
from trainkit.inference.preprocess import Column
from trainkit.inference.steps import FillMissing, Lookup, Normalize, Step
from trainkit.models.calls import nodes_of
from trainkit.models.layers import Impute


class Walk:
    """From an input along its layers, as long as all that stand side by side do the same, and can be done before.

    Args:
        model: A `tf.keras.Model`.
        tensor: One of its inputs.
        numbers: Whether numbers are filled and normalized before; else only lookups are done.

    Raises:
        ExportError: If a layer that is met cannot be done at all.
    """

    def __init__(self, model: Any, tensor: Any, *, numbers: bool) -> None:
        self.tensor = tensor
        self.steps: list[Step] = []
        self.nodes: list[Any] = []
        tensors = [tensor]
        while not self._gives_ids:
            beside = consumers(model, tensors)
            found = [_step(model, node.layer, tensor.shape, numbers) for node in beside]
            if not found or found[0] is None or any(step != found[0] for step in found):
                break
            self.steps.append(found[0])
            self.nodes += beside
            tensors = [node.outputs for node in beside]

    @property
    def column(self) -> Column:
        """What is done to the input."""
        return Column(tf.as_dtype(self.tensor.dtype).name, tuple(self.tensor.shape[1:]), tuple(self.steps))

    def new_input(self) -> Any:
        """What takes the place of the input: ids, int32, or the same numbers."""
        shape, dtype = self.tensor.shape, tf.int32 if self._gives_ids else self.tensor.dtype
        return tf.keras.Input(shape[1:], shape[0], dtype=dtype, name=self.tensor._keras_history.layer.name)

    @property
    def _gives_ids(self) -> bool:
        return bool(self.steps) and isinstance(self.steps[-1], Lookup)


def consumers(model: Any, tensors: Sequence[Any]) -> list[Any]:
    """The calls that take one of some tensors."""
    return [node for node in nodes_of(model) if any(used is tensor for used in node.keras_inputs for tensor in tensors)]


def _step(model: Any, layer: Any, shape: Any, numbers: bool) -> Step | None:
    """What a layer does, if that can be done before the file."""
    if isinstance(layer, LOOKUPS):
        return lookup_of(layer)
    if not numbers:
        return None
    if isinstance(layer, Impute):
        if not layer.is_adapted:
            raise ExportError(f"{named(layer)} must be adapted to be exported. Received: no values.")
        return FillMissing(_floats(layer.values))
    if isinstance(layer, tf.keras.layers.Normalization) and _has_features(shape) and not layer.invert:
        is_shared = sum(node.layer is layer for node in nodes_of(model)) > 1
        return None if is_shared else _normalize(layer, shape[1])
    return None


def _has_features(shape: Any) -> bool:
    return shape.rank == 2 and shape[1] not in (None, 1)


def _normalize(layer: Any, features: int) -> Normalize:
    divisors = np.maximum(np.sqrt(layer.variance), tf.keras.backend.epsilon())
    pairs = (np.broadcast_to(values, (1, features))[0] for values in (layer.mean, divisors))
    return Normalize(*(_floats(values) for values in pairs))


def _floats(values: Any) -> tuple[float, ...]:
    """float32 numbers in as few digits as tell them apart."""
    return tuple(float(str(value)) for value in np.asarray(values, np.float32))

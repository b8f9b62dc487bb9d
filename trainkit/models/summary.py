"""What a network is made of: a row a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LayerSummary:
    """One layer of a model.

    Args:
        name: As in the model.
        class_name: As Keras spells it.
        output_shape: Without the batch axis; None for any length.
        parameters: Number of weights.
    """

    name: str
    class_name: str
    output_shape: tuple[int | None, ...]
    parameters: int


def summarize(model: Any) -> list[LayerSummary]:
    """A row for each layer of a `tf.keras.Model`, in the order of the graph."""
    return [
        LayerSummary(layer.name, type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.layers
    ]

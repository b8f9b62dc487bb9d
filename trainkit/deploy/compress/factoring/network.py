"""A network with factors in place of some of its layers, and how far it is from what it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainkit.deploy.compress.copying import replace_layers
from trainkit.deploy.compress.factoring.choice import Choice
from trainkit.framework import tf
from trainkit.models.calls import call_in_turn


def factored(model: Any, chosen: Mapping[str, Choice]) -> Any:
    """A copy of a network with the factors of layers in their place.

    Args:
        model: A flat functional model; it is not changed.
        chosen: What is factored, by the name of the layer.
    """
    parts = [part for choice in chosen.values() for part in choice.parts]
    made = {name: [part.make() for part in choice.parts] for name, choice in chosen.items()}
    network = replace_layers(model, made)
    for part in parts:
        network.get_layer(part.name).set_weights(part.weights)  # built by its call, under its name
    return network


def output_errors(
    model: Any, network: Any, chosen: Mapping[str, Choice], samples: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """How far what a layer gives is from what its factors give for the same input, by the norm of what it gives.

    Args:
        model: The network as it was.
        network: What `factored` made of it.
        chosen: What was factored.
        samples: By input name.
    """
    errors = {}
    for name, choice in chosen.items():
        layer = model.get_layer(name)
        given = tf.keras.Model(model.inputs, layer.get_input_at(0))(dict(samples), training=False)
        parts = [network.get_layer(part.name) for part in choice.parts]
        errors[name] = _distance(layer(given).numpy(), call_in_turn(parts, (given,), {}).numpy())
    return errors


def _distance(expected: np.ndarray, found: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / (np.linalg.norm(expected) or 1.0))

"""The smaller network: the same layers, without the channels that have gone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from trainkit.deploy.compress.copying import wrap_layers
from trainkit.deploy.compress.filters.channels import Channels
from trainkit.deploy.compress.filters.rules import Passed


def shrink(model: Any, channels: Channels, gone: Collection[int]) -> Any:
    """A copy of a model without some groups of its channels; all other weights are what they were.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        channels: Of the model.
        gone: The roots of the groups that go.
    """

    def make(layer: Any) -> Any:
        passed = channels.of(layer.name)
        return layer if passed is None else type(layer).from_config(_config(layer, passed, channels, gone))

    smaller = wrap_layers(model, make)
    for layer in model.layers:
        if (passed := channels.of(layer.name)) is not None and layer.weights:
            copy = smaller.get_layer(layer.name)
            arrays = {id(weight): weight.numpy() for weight in layer.weights}
            for tie in passed.ties:
                weight = id(getattr(layer, tie.weight))
                arrays[weight] = np.compress(channels.staying(tie.channels, gone), arrays[weight], axis=tie.axis)
            copy.set_weights([arrays[id(weight)] for weight in layer.weights])
    return smaller


def _config(layer: Any, passed: Passed, channels: Channels, gone: Collection[int]) -> dict[str, Any]:
    """The arguments of a layer with the sizes that are left."""
    config = layer.get_config()
    for argument, counted in passed.sizes.items():
        size, whole = int(channels.staying(counted, gone).sum()), config[argument]
        config[argument] = size if isinstance(whole, int) else (*whole[:-1], size)
    return config

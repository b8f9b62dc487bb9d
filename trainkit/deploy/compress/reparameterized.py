"""Layers whose weights are computed, in each call, from what is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from trainkit.deploy.compress.copying import wrap_layers
from trainkit.framework import tf


class Place(NamedTuple):
    """A weight, and the attribute that has it.

    Args:
        owner: The layer, or one inside of it: a cell, a projection.
        attribute: The owner's name for it: `kernel`.
        variable: The weight.
    """

    owner: Any
    attribute: str
    variable: Any


Make = Callable[[str, Place], "Any | None"]
"""`make(layer, place)`: a `tf.keras.layers.Layer` from the variable to what the layer computes with, of the same shape,
called with `training`; or None where a weight stays as it is. Called once for each weight."""


class Reparameterized(tf.keras.layers.Wrapper):
    """A layer that computes with what transforms make of its weights.

    What is trained are the variables that the layer had, and those of the transforms. The wrapper has the layer's name.

    Args:
        layer: A layer that was built; it is changed.
        make: Which weights are transformed, and how.
    """

    def __init__(self, layer: Any, make: Make) -> None:
        super().__init__(layer, name=layer.name)
        self.trainable = layer.trainable
        found = [(place, make(layer.name, place)) for place in places_of(layer)]
        pairs = [(place, transform) for place, transform in found if transform is not None]
        self.raw = [place.variable for place, _ in pairs]
        self.transforms = [transform for _, transform in pairs]
        self._owners = [(place.owner, place.attribute) for place, _ in pairs]
        self._takes_training, self._takes_mask = layer._expects_training_arg, layer._expects_mask_arg
        self.supports_masking = layer.supports_masking

    def build(self, input_shape: Any) -> None:
        """Nothing: the layer has its weights."""
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What the layer makes of a mask."""
        return self.layer.compute_mask(inputs, mask)

    def call(self, *inputs: Any, training: Any = None, mask: Any = None, **options: Any) -> Any:
        """What the layer gives with the weights that are computed now."""
        for (owner, attribute), variable, transform in zip(self._owners, self.raw, self.transforms, strict=True):
            vars(owner)[attribute] = transform(variable, training=training)  # the variable stays tracked, in its place
        if self._takes_training:
            options["training"] = training
        if self._takes_mask:
            options["mask"] = mask
        return self.layer(*inputs, **options)

    def settle(self) -> None:
        """Give the layer, for good, variables of what the transforms make of its weights."""
        for (owner, attribute), variable, transform in zip(self._owners, self.raw, self.transforms, strict=True):
            variable.assign(transform(variable, training=False))
            vars(owner)[attribute] = variable


def add_state(layer: Any, name: str, value: Any) -> Any:
    """Add a variable to a transform that is not learned; replicas, whose weights are the same, have each their own."""
    return layer.add_weight(
        name,
        shape=value.shape,
        dtype=value.dtype,
        initializer=lambda *_, **__: value,
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )


def places_of(layer: Any) -> Iterator[Place]:
    """The weights of a layer and of those inside of it, each once; what is not of real numbers is no weight."""
    seen = set()
    for owner in layer._flatten_layers():
        for attribute, value in list(vars(owner).items()):
            if isinstance(value, tf.Variable) and value.dtype.is_floating and id(value) not in seen:
                seen.add(id(value))
                yield Place(owner, attribute, value)


def reparameterize(model: Any, make: Make) -> Any:
    """A copy of a model that computes with transformed weights.

    Args:
        model: A flat functional model; it is not changed.
        make: Which weights are transformed, and how.
    """

    def wrap(layer: Any) -> Any:
        wrapper = Reparameterized(layer, make) if layer.weights else None
        return wrapper if wrapper is not None and wrapper.transforms else layer

    return wrap_layers(model, wrap)


def settled(model: Any) -> Any:
    """A plain model again, of the layers that were wrapped, whose weights are what the transforms make of them.

    Args:
        model: What `reparameterize` gave; it is used up.
    """
    for layer in model.layers:
        if isinstance(layer, Reparameterized):
            layer.settle()
    return tf.keras.models.clone_model(
        model, clone_function=lambda layer: layer.layer if isinstance(layer, Reparameterized) else layer
    )

"""The layers of a model by name, and who takes what from whom."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from trainkit.framework import tf
from trainkit.models.calls import calls_of, is_graph
from trainkit.models.patterns import fits


@dataclass(frozen=True)
class LayerGraph:
    """The layers of a flat functional model.

    Args:
        classes: The name of the class of each layer, in the order of the network; those of inputs come first.
        makers: The layers that each takes from.
        outputs: The layer that gives each output, by name of the output.
        kernels: Layers with a weight of two and more axes.
    """

    classes: dict[str, str]
    makers: dict[str, tuple[str, ...]]
    outputs: dict[str, str]
    kernels: frozenset[str]

    @classmethod
    def of(cls, model: Any) -> LayerGraph:
        """That of a `tf.keras.Model` without models inside, see `flat`."""
        classes = {tensor._keras_history.layer.name: "InputLayer" for tensor in model.inputs}
        makers: dict[str, tuple[str, ...]] = {}
        kernels = set()
        for call in calls_of(model):
            layer = call.layer
            classes[layer.name] = type(layer).__name__
            given = [tensor._keras_history.layer.name for tensor in call.keras_inputs]
            makers[layer.name] = tuple(dict.fromkeys([*makers.get(layer.name, ()), *given]))
            weights = [weight for weight in layer.weights if isinstance(weight, tf.Variable)]  # a vocabulary is none
            if any(weight.shape.rank is not None and weight.shape.rank > 1 for weight in weights):
                kernels.add(layer.name)
        pairs = zip(model.output_names, model.outputs, strict=True)
        outputs = {name: tensor._keras_history.layer.name for name, tensor in pairs}
        return cls(classes, makers, outputs, frozenset(kernels))

    @property
    def names(self) -> list[str]:
        """Those of all layers that compute something: inputs do not."""
        return [name for name, class_name in self.classes.items() if class_name != "InputLayer"]

    def absence(self, pattern: str, computed: Collection[str]) -> str | None:
        """What is wrong with a pattern that fits only layers that a file does not compute; None where it fits another.

        Args:
            pattern: It fits a layer.
            computed: The layers that the file computes, or may compute.
        """
        layers = [name for name in self.names if fits(pattern, name)]
        if any(name in computed for name in layers):
            return None
        takers = [name for name, makers in self.makers.items() if layers[0] in makers]
        near = [name for name in [*self.makers[layers[0]], *takers] if name in computed]
        cure = f"Write {near[0]!r}, or leave it out." if near else "Leave it out."
        kinds = ", ".join(dict.fromkeys(self.classes[layer] for layer in layers))
        return (
            f"must name layers that the file computes. Received: {pattern!r} ({kinds}), which became part of other "
            f"layers, or does nothing there. {cure}"
        )

    def fused(self, last: str, named: Collection[str], everywhere: Collection[str]) -> Iterator[str]:
        """The layers that are computed together in one operation, from the last one back.

        Converters name an operation after what they have fused, and at times after layers elsewhere, too, that have the
        same constant: those are no part of the chain. A batch normalization in the middle may have left no name.

        Args:
            last: The last layer of the chain.
            named: Those that the operation is named after.
            everywhere: Those that any operation is named after.
        """
        yield last
        for maker in self.makers.get(last, ()):
            if maker in named or (
                self.is_folded(maker, everywhere) and any(one in named for one in self.makers[maker])
            ):
                yield from self.fused(maker, named, everywhere)

    def is_folded(self, name: str, everywhere: Collection[str]) -> bool:
        """Whether a layer is a batch normalization that became part of another layer's weights."""
        return self.classes[name] == "BatchNormalization" and name not in everywhere


def flat(model: Any) -> Any:
    """A model without models inside: itself, or one whose layers are called `encoder.conv`."""
    from trainkit.deploy.compress.flatten import flatten

    nested = type(model) is tf.keras.Sequential or any(is_graph(layer) for layer in model.layers)
    return flatten(model) if nested else model

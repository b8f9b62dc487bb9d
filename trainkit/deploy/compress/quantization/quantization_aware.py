"""A network that rounds while it trains, and the network that comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainkit.deploy.compress.kernels import variables_of
from trainkit.deploy.compress.quantization.expand import Expanded, expand
from trainkit.deploy.compress.quantization.folding import as_convolution, fold
from trainkit.deploy.compress.quantization.kinds import KERNELS
from trainkit.deploy.compress.quantization.plan import Place, plan
from trainkit.deploy.compress.quantization.projection import (
    Projected,
    Projection,
    project,
    round_weights,
    scheme_of,
)
from trainkit.deploy.compress.quantization.quantizers import (
    FixedRounding,
    KernelQuantizer,
    RangeQuantizer,
    Rounding,
    fixed,
    wrap,
)
from trainkit.deploy.compress.quantization.ranges import measure
from trainkit.deploy.compress.quantization.report import report
from trainkit.deploy.compress.reparameterized import Reparameterized
from trainkit.deploy.compress.result import Promise
from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.models.calls import calls_of, rebuild


class QuantizationAware:
    """A network that rounds while it trains, as its int8 file will.

    BatchNormalizations go on learning while it trains: a small MobileNet ended .7 points better than with frozen ones,
    with either of two seeds. To scale a channel before rounding it, or after, is the same.

    Built twice from the same network and promises it has the same variables in the same order: to store it, store
    `state`.

    Args:
        plain_flat_model: A functional model, see `flatten`; it is not changed.
        promises: What has to hold of its weights, and does now.
        samples: Training samples, arrays by input name, that ranges start from; None where weights are to be set.

    Raises:
        InputError: If there is nothing in it that can be quantized.

    Reference:
        Jacob et al., CVPR 2018, section 3.
    """

    def __init__(
        self,
        plain_flat_model: Any,
        promises: Sequence[Promise] = (),
        samples: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        network = expand(plain_flat_model)
        self._plain = plain_flat_model
        self._places = plan(network)
        if not any(place.kernel for place in self._places.values()):
            kinds = ", ".join(sorted({type(layer).__name__ for layer in network.model.layers}))
            raise InputError(f"`model` must have a convolution or a Dense layer to be quantized. Received: {kinds}.")
        self.layers = report(plain_flat_model, network, self._places)
        self.scheme = scheme_of(promises)
        self._projections = _projections(network, promises)
        self._variables = {layer.name: variables_of(layer) for layer in network.model.layers}
        self._ranges = self._start(network, samples)
        self.model = self._wrap(network)

    def finish(self) -> Any:
        """The network as it is now, for inference and for the int8 file.

        Returns:
            A functional model that shares nothing with `model`: kernels are rounded, BatchNormalization is folded into
            them, ranges are fixed.
        """
        network = expand(self._plain)
        for layer in network.model.layers:
            for new, trained in zip(variables_of(layer), self._variables[layer.name], strict=True):
                new.assign(trained)
        calls = {call.layer.name: call for call in calls_of(network.model)}
        finished = {name: self._finish_layer(network.model, call) for name, call in calls.items()}
        return rebuild(network.model, lambda call, given, keywords: finished[call.layer.name](*given, **keywords))

    @property
    def state(self) -> list[np.ndarray]:
        """The values of all variables; vocabularies, which do not train, are in the plain network."""
        return [variable.numpy() for variable in variables_of(self.model)]

    @state.setter
    def state(self, values: Sequence[np.ndarray]) -> None:
        for variable, value in zip(variables_of(self.model), values, strict=True):
            variable.assign(value)

    def _start(self, network: Expanded, samples: Mapping[str, np.ndarray] | None) -> dict[str, RangeQuantizer]:
        names = [name for name, place in self._places.items() if isinstance(place.output, str)]
        ranges = measure(network.model, names, samples) if samples is not None else {}
        return {
            name: RangeQuantizer(*ranges.get(name, ()), is_widest=self._places[name].output == "widest")
            for name in names
        }

    def _wrap(self, network: Expanded) -> Any:
        wrapped = {layer.name: self._wrap_layer(layer) for layer in network.model.layers}
        return rebuild(network.model, lambda call, given, keywords: wrapped[call.layer.name](*given, **keywords))

    def _wrap_layer(self, layer: Any) -> Any:
        place = self._places.get(layer.name)
        if not place or not place.kernel:
            layer = self._keep_promise(layer)
        if not place or not (place.kernel or place.output):
            return layer
        kernel = None
        if place.kernel:
            name, axes = KERNELS[type(layer)]
            _, projection = self._projections.get(layer.name, (name, Projection()))
            if layer.trainable:
                kernel = name, KernelQuantizer(projection, axes)
            else:  # TFMOT trains each kernel that it rounds
                variable = getattr(layer, name)
                variable.assign(round_weights(projection(variable), axes))
        return wrap(layer, Rounding(kernel, self._output(layer.name)))

    def _keep_promise(self, layer: Any) -> Any:
        """A layer that is not rounded, and whose kernel keeps what was promised of it while it trains."""
        weight, projection = self._projections.get(layer.name, (None, None))
        if projection is None or not layer.trainable:
            return layer
        return Reparameterized(layer, lambda _, place: Projected(projection) if place.attribute == weight else None)

    def _output(self, name: str) -> Any:
        output = self._places[name].output
        if output is None:
            return None
        return self._ranges[name] if isinstance(output, str) else fixed(*output)

    def _finish_layer(self, model: Any, call: Any) -> Any:
        layer = call.layer
        place = self._places[layer.name]
        finished = self._compute_layer(model, call, place)
        if place.output is None:
            return finished
        ends = self._ranges[layer.name].range if isinstance(place.output, str) else place.output
        return wrap(finished, FixedRounding(*ends))

    def _compute_layer(self, model: Any, call: Any, place: Place) -> Any:
        layer = call.layer
        if place.status == "folded":
            return tf.keras.layers.Activation("linear", name=layer.name)
        if place.scales:
            return as_convolution(layer)
        if not place.kernel:
            if layer.name in self._projections:
                weight, projection = self._projections[layer.name]
                getattr(layer, weight).assign(projection(getattr(layer, weight)))
            return layer
        name, axes = KERNELS[type(layer)]
        _, projection = self._projections.get(layer.name, (name, Projection()))
        kernel = round_weights(projection(getattr(layer, name)), axes).numpy()
        norms = [model.get_layer(norm) for norm in place.norms]
        return fold(layer, kernel, norms, input_shape=call.keras_inputs[0].shape)


def _projections(network: Expanded, promises: Sequence[Promise]) -> dict[str, tuple[str, Projection]]:
    """Name and projection of each kernel that something was promised of, by layer."""
    by_weight: dict[tuple[str, str], list[Promise]] = {}
    for promise in promises:
        old = promise.layer, promise.weight
        by_weight.setdefault(network.weights.get(old, old), []).append(promise)
    return {
        layer: (weight, project(getattr(network.model.get_layer(layer), weight).numpy(), promised))
        for (layer, weight), promised in by_weight.items()
        if hasattr(network.model.get_layer(layer), weight)
    }

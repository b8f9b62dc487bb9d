"""Rounding while a network trains, as TFMOT's wrapper of a layer wants it told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainkit.deploy.compress.quantization.projection import Projection, round_weights
from trainkit.deploy.compress.tfmot import quantization
from trainkit.framework import tf

DECAY = 0.99
"""Share of a range that stays after a batch; by TFMOT's .999 a range is still half its old self after 700 batches."""
NARROWEST = 1e-4
"""Width of the range of an output that is always 0."""


class KernelQuantizer(quantization.quantizers.Quantizer):
    """Rounds a kernel after projecting it.

    Args:
        projection: To what was promised of it.
        axes: Of output channels, counted from the end.
    """

    def __init__(self, projection: Projection, axes: Sequence[int]) -> None:
        self._projection = projection
        self._axes = axes

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """No state: the range is that of the weights."""
        return {}

    def __call__(self, inputs: Any, training: bool, weights: dict[str, Any], **kwargs: Any) -> Any:
        """Project and round."""
        return round_weights(self._projection(inputs), self._axes)

    def get_config(self) -> dict[str, Any]:
        """The axes; what was promised is not part of a configuration."""
        return {"axes": list(self._axes)}


class RangeQuantizer(quantization.quantizers.Quantizer):
    """Rounds an output within a range that follows the batches.

    Args:
        low: Where it begins.
        high: Where it ends.
        is_widest: Whether the range holds all that was seen of late, rather than the mean of the batches.
    """

    def __init__(self, low: float = -6.0, high: float = 6.0, *, is_widest: bool = False) -> None:
        self._low = low
        self._high = high
        self._is_widest = is_widest
        self._variables: dict[str, Any] = {}

    @property
    def range(self) -> tuple[float, float]:
        """Where the range begins and ends now; 0 is in it."""
        return float(self._variables["low"].numpy()), float(self._variables["high"].numpy())

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Make the two variables, which every replica takes part in."""
        if not self._variables:
            for end, start in (("low", self._low), ("high", self._high)):
                self._variables[end] = layer.add_weight(
                    f"{name}_{end}",
                    shape=(),
                    initializer=tf.keras.initializers.Constant(start),
                    trainable=False,
                    aggregation=tf.VariableAggregation.MEAN,
                )
        return self._variables

    def __call__(self, inputs: Any, training: bool, weights: dict[str, Any], **kwargs: Any) -> Any:
        """Round, after following the batch if training."""
        low, high = weights["low"], weights["high"]
        if training:
            least, most = tf.minimum(tf.reduce_min(inputs), 0.0), tf.maximum(tf.reduce_max(inputs), 0.0)
            low = low.assign(-self._follow(-low, -least))
            high = high.assign(tf.maximum(self._follow(high, most), low + NARROWEST))
        return tf.quantization.fake_quant_with_min_max_vars(inputs, low, high)

    def get_config(self) -> dict[str, Any]:
        """Where the range began."""
        return {"low": self._low, "high": self._high, "is_widest": self._is_widest}

    def _follow(self, end: Any, batch: Any) -> Any:
        moved = DECAY * end + (1 - DECAY) * batch
        return tf.maximum(moved, batch) if self._is_widest else moved


class Rounding(quantization.QuantizeConfig):
    """What is rounded of a layer while it trains.

    Args:
        kernel: The name of its kernel and how to round it.
        output: How to round its output.
    """

    def __init__(self, kernel: tuple[str, KernelQuantizer] | None = None, output: Any = None) -> None:
        self._kernel = kernel
        self._output = output

    def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        """The kernel."""
        return [(getattr(layer, self._kernel[0]), self._kernel[1])] if self._kernel else []

    def set_quantize_weights(self, layer: Any, quantize_weights: Sequence[Any]) -> None:
        """Compute with the rounded kernel."""
        for weights in quantize_weights:
            setattr(layer, self._kernel[0], weights)  # type: ignore[index]

    def get_activations_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        """None: what is not fused is a layer of its own."""
        return []

    def set_quantize_activations(self, layer: Any, quantize_activations: Sequence[Any]) -> None:
        """Nothing to do."""

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        """The one of the output."""
        return [self._output] if self._output else []

    def get_config(self) -> dict[str, Any]:
        """For a description of the model only: what was promised is not part of it."""
        return {"kernel": self._kernel[0] if self._kernel else None}


@tf.keras.saving.register_keras_serializable(package="trainkit")
class FixedRounding(Rounding):
    """Rounds the output of a layer within one range.

    Args:
        low: Where it begins.
        high: Where it ends.
    """

    def __init__(self, low: float, high: float) -> None:
        super().__init__(output=fixed(low, high))
        self._range = low, high

    def get_config(self) -> dict[str, Any]:
        """The range."""
        return {"low": self._range[0], "high": self._range[1]}


def fixed(low: float, high: float) -> Any:
    """Rounds an output within a range that stays."""
    return quantization.quantizers.FixedQuantizer(8, low, high, narrow_range=False)


def wrap(layer: Any, rounding: Rounding) -> Any:
    """TFMOT's wrapper around a layer, under the layer's name."""
    return quantization.QuantizeWrapperV2(layer, rounding, name=layer.name)

"""The network as TensorFlow Lite computes it: one Keras layer for each of its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainkit.deploy.compress.flatten import flatten
from trainkit.deploy.compress.quantization.hard_swish import find_hard_swishes, numbers, symbol
from trainkit.deploy.compress.quantization.kinds import activation_of, is_relu, kernel_of
from trainkit.framework import tf
from trainkit.models.calls import Graph, call_in_turn, rebuild

layers = tf.keras.layers
Part = Callable[..., Any]

_MERGES = {
    **dict.fromkeys(("__operators__.add", "math.add"), layers.Add),
    **dict.fromkeys(("__operators__.sub", "math.subtract"), layers.Subtract),
    **dict.fromkeys(("__operators__.mul", "math.multiply"), layers.Multiply),
}
_SCALINGS = (*_MERGES, "__operators__.truediv", "math.truediv")
_ACTIVATIONS = {
    "nn.relu": "relu",
    "nn.relu6": tf.nn.relu6,
    "nn.silu": "swish",
    "math.sigmoid": "sigmoid",
    "math.tanh": "tanh",
}


@dataclass(frozen=True)
class Expanded:
    """A network that is taken apart.

    Args:
        model: A flat functional model.
        origins: The layer of the plain network that a layer comes from, by name, where it has another.
        weights: Where a kernel of the plain network is now, by the names of its layer and of itself.
        ends: Layers that do nothing but hold the range of what an operation gives that cannot hold it.
    """

    model: Any
    origins: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    ends: frozenset[str] = frozenset()


def expand(plain: Any) -> Expanded:
    """Take a network apart; it answers as before.

    Activations that the file does not fuse stand behind their layer, a separable convolution is two convolutions, swish
    is a sigmoid and a product, and operations that Keras has layers for are layers.

    Args:
        plain: A functional model; it is not changed.

    Returns:
        The network on layers of its own. The last part of a layer keeps its name, so outputs keep theirs.
    """
    model = flatten(plain)
    expansion = _Expansion(Graph(model))
    model = rebuild(model, expansion.make)
    return Expanded(model, expansion.origins, expansion.weights, frozenset(expansion.ends))


class _Expansion:
    """Makes of each call the calls that it is taken apart into, and keeps account."""

    def __init__(self, graph: Graph) -> None:
        self.origins: dict[str, str] = {}
        self.weights: dict[tuple[str, str], tuple[str, str]] = {}
        self.ends: set[str] = set()
        self._graph = graph
        self._whole = {id(call) for match in find_hard_swishes(graph) for call in match[:-1]}
        self._parts: dict[int, list[Part]] = {}

    def make(self, call: Any, arguments: tuple, keywords: dict[str, Any]) -> Any:
        """Call the parts of a layer one after the other."""
        if id(call) in self._whole:
            return call.layer(*arguments, **keywords)
        if id(call.layer) not in self._parts:
            self._parts[id(call.layer)] = self._split_operation(call) if symbol(call) else self._split(call.layer)
        parts = self._parts[id(call.layer)]
        if symbol(call) and parts[0] is not call.layer:
            tensors = [value for value in tf.nest.flatten((arguments, keywords)) if tf.is_tensor(value)]
            arguments, keywords = (tensors if len(tensors) > 1 else tensors[0],), {}
        return call_in_turn(parts, arguments, keywords)

    def _split(self, layer: Any) -> list[Part]:
        activation = activation_of(layer)
        if type(layer) is layers.Activation and activation == "swish":
            return [self._swish(layer.name)]
        if type(layer) is layers.SeparableConv2D:
            parts = self._separate(layer)
        elif (kernel := kernel_of(layer)) is not None:
            parts = [layer]
            self.weights[layer.name, kernel[0]] = (layer.name, kernel[0])
        else:
            return [layer]
        if activation == "linear" or (activation in ("relu", "relu6") and type(layer) is not layers.Conv2DTranspose):
            return parts
        return [*parts, self._move_activation(parts[-1])]

    def _split_operation(self, call: Any) -> list[Part]:
        """An operation on tensors as layers of Keras, as far as there are any."""
        layer, function, tensors = call.layer, symbol(call), call.keras_inputs
        if not all(tensor.dtype.is_floating for tensor in tensors):
            return [layer]
        if function in _MERGES and len(tensors) == 2 and tensors[0].shape.rank == tensors[1].shape.rank:
            return [_MERGES[function](name=layer.name)]
        if function in _ACTIVATIONS and len(tensors) == 1 and not list(numbers(call)):
            activation = _ACTIVATIONS[function]
            is_swish = activation == "swish"
            return [self._swish(layer.name) if is_swish else layers.Activation(activation, name=layer.name)]
        taker = self._graph.only_taker(call)
        if function in _SCALINGS and len(tensors) == 1 and not (taker and is_relu(taker.layer)):
            return [layer, self._end(layer)]
        return [layer]

    def _move_activation(self, layer: Any) -> Part:
        """Take the activation away from a layer."""
        name, function = layer.name, layer.activation
        layer.activation = tf.keras.activations.linear
        self._rename(layer, f"{name}.linear")
        if function is tf.keras.activations.swish:
            return self._swish(name)
        return layers.Activation(function, name=name)

    def _swish(self, name: str) -> Part:
        sigmoid, product = layers.Activation("sigmoid", name=f"{name}.sigmoid"), layers.Multiply(name=name)
        self.origins[sigmoid.name] = name
        return lambda x: product([x, sigmoid(x)])

    def _end(self, layer: Any) -> Part:
        end = layers.Activation("linear", name=layer.name)
        self._rename(layer, f"{layer.name}.operation")
        self.ends.add(end.name)
        return end

    def _rename(self, layer: Any, name: str) -> None:
        moved = {old: (name, weight) for old, (owner, weight) in self.weights.items() if owner == layer.name}
        self.weights |= moved
        self.origins[name] = layer.name
        layer._name = name

    def _separate(self, layer: Any) -> list[Part]:
        """A separable convolution as a depthwise one and one of 1 × 1."""
        depthwise, pointwise = _separated(layer)
        self.origins[depthwise.name] = layer.name
        self.weights[layer.name, "depthwise_kernel"] = (depthwise.name, "depthwise_kernel")
        self.weights[layer.name, "pointwise_kernel"] = (layer.name, "kernel")
        return [depthwise, pointwise]


def _separated(layer: Any) -> tuple[Any, Any]:
    config = layer.get_config()
    common = {key: config[key] for key in ("data_format", "trainable")}
    steps = {key: config[key] for key in ("kernel_size", "strides", "padding", "depth_multiplier", "dilation_rate")}
    costs = {key: config[key] for key in ("depthwise_regularizer", "depthwise_constraint")}
    depthwise = layers.DepthwiseConv2D(**steps, **costs, **common, use_bias=False, name=f"{layer.name}.depthwise")
    pointwise = layers.Conv2D(
        layer.filters,
        1,
        activation=layer.activation,
        use_bias=layer.use_bias,
        kernel_regularizer=layer.pointwise_regularizer,
        kernel_constraint=layer.pointwise_constraint,
        bias_regularizer=layer.bias_regularizer,
        bias_constraint=layer.bias_constraint,
        name=layer.name,
        **common,
    )
    depthwise_kernel, *rest = layer.get_weights()
    depthwise.build((None, None, None, depthwise_kernel.shape[2]))
    pointwise.build((None, None, None, rest[0].shape[2]))
    depthwise.set_weights([depthwise_kernel])
    pointwise.set_weights(rest)
    return depthwise, pointwise

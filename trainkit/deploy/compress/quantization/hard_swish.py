"""Find x · relu6(x + 3) / 6, which the file computes in one step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from trainkit.deploy.compress.quantization.kinds import activation_of
from trainkit.framework import tf
from trainkit.models.calls import Graph

_ADDITIONS = ("__operators__.add", "math.add")
_PRODUCTS = ("__operators__.mul", "math.multiply")


def find_hard_swishes(graph: Graph) -> list[list[Any]]:
    """The four calls of each hard swish in a graph, in order: what all but the last give is seen by nobody else."""
    return [match for call in graph.calls if (match := _match(graph, call))]


def _match(graph: Graph, plus: Any) -> list[Any] | None:
    if not _adds(plus, 3.0):
        return None
    relu6 = graph.only_taker(plus)
    third = graph.only_taker(relu6) if relu6 and _is_relu6(relu6) else None
    last = graph.only_taker(third) if third else None
    x = plus.keras_inputs[0]
    if not last or not ((_sixth(third) and _times(last, x)) or (_times(third, x) and _sixth(last))):
        return None
    return [plus, relu6, third, last]


def symbol(call: Any) -> str | None:
    """The TensorFlow function that a call is, of the kind that Keras makes layers of."""
    return call.layer.symbol if type(call.layer).__name__ == "TFOpLambda" else None


def _adds(call: Any, number: float) -> bool:
    if type(call.layer) is tf.keras.layers.Rescaling:
        return (call.layer.scale, call.layer.offset) == (1.0, number)
    return symbol(call) in _ADDITIONS and list(numbers(call)) == [number]


def _is_relu6(call: Any) -> bool:
    return symbol(call) == "nn.relu6" or activation_of(call.layer) == "relu6"


def _sixth(call: Any) -> bool:
    if type(call.layer) is tf.keras.layers.Rescaling:
        return call.layer.offset == 0 and math.isclose(call.layer.scale, 1 / 6, rel_tol=1e-6)
    if symbol(call) == "math.truediv":
        return list(numbers(call)) == [6.0]
    return symbol(call) in _PRODUCTS and any(math.isclose(number, 1 / 6, rel_tol=1e-6) for number in numbers(call))


def _times(call: Any, x: Any) -> bool:
    is_product = type(call.layer) is tf.keras.layers.Multiply or symbol(call) in _PRODUCTS
    return is_product and len(call.keras_inputs) == 2 and any(tensor is x for tensor in call.keras_inputs)


def numbers(call: Any) -> Iterator[float]:
    """The numbers that a call is given besides tensors."""
    given = tf.nest.flatten((call.call_args, call.call_kwargs))
    return (float(value) for value in given if isinstance(value, int | float))

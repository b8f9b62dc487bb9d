"""Functions of TensorFlow, `x + 3` and the like, as layers of Keras that do the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from trainkit.framework import tf
from trainkit.models.describe.operation import Operation, is_number, is_vector, negative
from trainkit.models.describe.reductions import reduce_max, reduce_mean, reduce_sum
from trainkit.models.describe.shapes import (
    concatenate,
    expand,
    reshape,
    shape_of,
    slice_axes,
    split,
    stack,
    transpose,
    unstack,
)
from trainkit.models.describe.step import Record, Ref, RefusalError, is_tensor
from trainkit.models.describe.values import plain

OPERATOR_LAYERS = ("TFOpLambda", "SlicingOpLambda")
"""The layers that Keras makes of such functions."""
ACTIVATIONS = {
    "math.exp": "exponential",
    "math.sigmoid": "sigmoid",
    "math.softplus": "softplus",
    "math.tanh": "tanh",
    "nn.elu": "elu",
    "nn.selu": "selu",
    "nn.sigmoid": "sigmoid",
    "nn.silu": "swish",
    "nn.softplus": "softplus",
    "nn.softsign": "softsign",
    "nn.tanh": "tanh",
}
"""Functions that are activations without arguments."""


def describe_operator(call: Any, values: Mapping[int, Any], record: Record) -> list[Any]:
    """What the outputs of a function are, the steps for it being added to the record.

    Raises:
        RefusalError: If no layer of Keras does the same.
    """
    operation = Operation(call, values, record)
    if operation.symbol not in _WRITERS:
        raise RefusalError("no layer of Keras does the same. Save the model again with layers in its place")
    made = _WRITERS[operation.symbol](operation)
    return made if isinstance(made, list) else [made]


def _add(operation: Operation) -> Any:
    x, y = _operands(operation)
    if not (isinstance(x, Ref) and isinstance(y, Ref)):
        return _rescale(operation, *((x, 1, y) if isinstance(x, Ref) else (y, 1, x)))
    return operation.layer("Add", {}, [x, y])


def _subtract(operation: Operation) -> Any:
    x, y = _operands(operation)
    if not isinstance(y, Ref):
        return _rescale(operation, x, 1, negative(y))
    return operation.layer("Subtract", {}, [x, y]) if isinstance(x, Ref) else _rescale(operation, y, -1, x)


def _multiply(operation: Operation) -> Any:
    x, y = _operands(operation)
    if not (isinstance(x, Ref) and isinstance(y, Ref)):
        return _rescale(operation, *((x, y) if isinstance(x, Ref) else (y, x)))
    return operation.layer("Multiply", {}, [x, y])


def _divide(operation: Operation) -> Any:
    x, y = _operands(operation)
    if isinstance(y, Ref) or np.any(np.asarray(y) == 0):
        raise RefusalError("no layer of Keras divides by what is computed, or by 0")
    return _rescale(operation, x, plain(1 / np.asarray(y, np.float64)))


def _maximum(operation: Operation) -> Any:
    return _extreme(operation, "Maximum", 1)


def _minimum(operation: Operation) -> Any:
    return _extreme(operation, "Minimum", -1)


def _extreme(operation: Operation, class_name: str, sign: int) -> Any:
    """Of two values, or of a value and a number: max(x, c) = relu(x - c) + c, min(x, c) = c - relu(c - x)."""
    x, y = _operands(operation)
    if isinstance(x, Ref) and isinstance(y, Ref):
        return operation.layer(class_name, {}, [x, y])
    value, number = (x, y) if isinstance(x, Ref) else (y, x)
    above = (
        value if number == 0 and sign == 1 else _rescale(operation, value, sign, negative(sign * np.asarray(number)))
    )
    over = operation.layer("ReLU", {}, above)
    return over if number == 0 and sign == 1 else _rescale(operation, over, sign, number)


def _negative(operation: Operation) -> Any:
    return _rescale(operation, operation.tensor(0, "x"), -1)


def _absolute(operation: Operation) -> Any:
    x = operation.tensor(0, "x")
    return operation.layer("Maximum", {}, [x, _rescale(operation, x, -1)])


def _square(operation: Operation) -> Any:
    x = operation.tensor(0, "x")
    return operation.layer("Multiply", {}, [x, x])


def _power(operation: Operation) -> Any:
    x, exponent = _operands(operation)
    if not isinstance(x, Ref) or exponent not in (2, 3, 4):
        raise RefusalError("no layer of Keras has powers but those with a small whole exponent")
    return operation.layer("Multiply", {}, [x] * int(exponent))


def _sum_of_list(operation: Operation) -> Any:
    return operation.layer("Add", {}, _list(operation, "inputs"))


def _clip(operation: Operation) -> Any:
    x = operation.tensor(0, "t")
    least = operation.given(operation.argument(1, "clip_value_min"))
    most = operation.given(operation.argument(2, "clip_value_max"))
    if not (is_number(least) and is_number(most)):
        raise RefusalError("its bounds are no numbers")
    if least == 0:
        return operation.layer("ReLU", {"max_value": most}, x)
    clipped = operation.layer("ReLU", {"max_value": most - least}, _rescale(operation, x, 1, -least))
    return _rescale(operation, clipped, 1, least)


def _relu(operation: Operation) -> Any:
    return operation.layer("ReLU", {}, operation.tensor(0, "features"))


def _relu6(operation: Operation) -> Any:
    return operation.layer("ReLU", {"max_value": 6}, operation.tensor(0, "features"))


def _leaky_relu(operation: Operation) -> Any:
    return operation.layer("LeakyReLU", {"alpha": operation.argument(1, "alpha", 0.2)}, operation.tensor(0, "features"))


def _gelu(operation: Operation) -> Any:
    if operation.argument(1, "approximate", False):
        raise RefusalError("no layer of Keras has the approximate gelu. Take `approximate=False`")
    return operation.layer("Activation", {"activation": "gelu"}, operation.tensor(0, "features"))


def _softmax(operation: Operation) -> Any:
    axis, rank = operation.argument(1, "axis"), len(operation.shape(0, "logits"))
    axis = operation.axis(-1 if axis is None else axis, rank)
    return operation.layer("Softmax", {} if axis == rank - 1 else {"axis": axis}, operation.tensor(0, "logits"))


def _activation(operation: Operation) -> Any:
    first = next(iter(operation.keywords), "x")
    return operation.layer("Activation", {"activation": ACTIVATIONS[operation.symbol]}, operation.tensor(0, first))


def _cast(operation: Operation) -> Any:
    before, after = (tf.as_dtype(item.dtype) for item in (operation.argument(0, "x"), operation.outputs[0]))
    x = operation.tensor(0, "x")
    return x if before == after else _rescale(operation, x, 1)


def _same(operation: Operation) -> Any:
    return operation.tensor(0, next(iter(operation.keywords), "input"))


def _normalize(operation: Operation) -> Any:
    axis, rank = operation.argument(1, "axis"), len(operation.shape(0, "x"))
    if operation.argument(2, "epsilon", 1e-12) != 1e-12:
        raise RefusalError("no layer of Keras normalizes with another epsilon than 1e-12")
    axis = operation.axis(axis, rank)
    return operation.layer("UnitNormalization", {} if axis == rank - 1 else {"axis": axis}, operation.tensor(0, "x"))


def _matmul(operation: Operation) -> Any:
    shapes = [operation.shape(0, "a"), operation.shape(1, "b")]
    others = [key for key, value in operation.keywords.items() if key not in ("b", "name", "transpose_b") and value]
    if [len(shape) for shape in shapes] != [3, 3] or others or len(operation.arguments) > 2:
        raise RefusalError("no layer of Keras multiplies such matrices: Dot takes one of each sample")
    axes = [2, 2 if operation.keywords.get("transpose_b") else 1]
    return operation.layer("Dot", {"axes": axes}, [operation.tensor(0, "a"), operation.tensor(1, "b")])


def _resize(operation: Operation) -> Any:
    size, method = plain(operation.argument(1, "size")), plain(operation.argument(2, "method", "bilinear"))
    if operation.argument(3, "preserve_aspect_ratio") or operation.argument(4, "antialias"):
        raise RefusalError("no layer of Keras resizes with antialias, or keeps the aspect ratio")
    if not is_vector(size) or len(operation.shape(0, "images")) != 4:
        raise RefusalError("no layer of Keras resizes to a size that is computed")
    arguments = {"height": size[0], "width": size[1]} | ({} if method == "bilinear" else {"interpolation": method})
    return operation.layer("Resizing", arguments, operation.tensor(0, "images"))


def _rescale(operation: Operation, value: Any, scale: Any, offset: Any = 0) -> Any:
    """x · scale + offset, each a number or one for every feature."""
    numbers = [scale, offset]
    if not isinstance(value, Ref) or not all(is_number(number) or is_vector(number) for number in numbers):
        raise RefusalError("no layer of Keras computes with constants of this shape")
    return operation.layer("Rescaling", {"scale": scale} | ({} if offset == 0 else {"offset": offset}), value)


def _operands(operation: Operation) -> tuple[Any, Any]:
    """Both operands, of one number of axes where both are tensors."""
    pair = operation.argument(0, "x"), operation.argument(1, "y")
    if all(map(is_tensor, pair)) and len({len(item.shape) for item in pair}) > 1:
        raise RefusalError("it is called with values of a different number of axes")
    x, y = map(operation.given, pair)
    return x, y


def _list(operation: Operation, name: str) -> list[Ref]:
    values = [operation.given(item) for item in operation.argument(0, name)]
    if not all(isinstance(value, Ref) for value in values):
        raise RefusalError("it is called with constants")
    return values


_WRITERS: dict[str, Callable[[Operation], Any]] = {
    "__operators__.add": _add,
    "__operators__.getitem": slice_axes,
    "cast": _cast,
    "clip_by_value": _clip,
    "compat.v1.nn.softmax": _softmax,
    "compat.v1.shape": shape_of,
    "compat.v1.squeeze": expand,
    "compat.v1.transpose": transpose,
    "concat": concatenate,
    "convert_to_tensor": _same,
    "expand_dims": expand,
    "identity": _same,
    "image.resize": _resize,
    "linalg.matmul": _matmul,
    "math.abs": _absolute,
    "math.add": _add,
    "math.add_n": _sum_of_list,
    "math.divide": _divide,
    "math.l2_normalize": _normalize,
    "math.maximum": _maximum,
    "math.minimum": _minimum,
    "math.multiply": _multiply,
    "math.negative": _negative,
    "math.pow": _power,
    "math.reduce_max": reduce_max,
    "math.reduce_mean": reduce_mean,
    "math.reduce_sum": reduce_sum,
    "math.square": _square,
    "math.subtract": _subtract,
    "math.truediv": _divide,
    "nn.gelu": _gelu,
    "nn.leaky_relu": _leaky_relu,
    "nn.relu": _relu,
    "nn.relu6": _relu6,
    "nn.softmax": _softmax,
    "reshape": reshape,
    "shape": shape_of,
    "split": split,
    "squeeze": expand,
    "stack": stack,
    "transpose": transpose,
    "unstack": unstack,
    **dict.fromkeys(ACTIVATIONS, _activation),
}

"""Multiply-accumulates of one call of a layer, for one sample.

Counted are sums of products: convolutions, matrix products, attention. As in papers and benchmarks of small networks,
a bias, an activation, pooling, resizing and anything done number by number is not counted, and neither is
BatchNormalization, which becomes part of the convolution before it. A convolution with `padding: same` is counted as
if its border were as much work as its middle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trainkit.framework import tf
from trainkit.models.costs.amount import Amount, amount_of, total

Shape = tuple[int | None, ...]
"""Of one sample, without the batch; None for any length."""

Count = Callable[[Any, Sequence[Shape], Shape], Amount | None]
"""`count(layer, given, gives)`: a built layer, the shapes of what it is called with, the shape of what it gives."""


def count_macs(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount | None:
    """Count the multiply-accumulates of a call.

    Args:
        layer: A built `tf.keras.layers.Layer`.
        given: Shapes of what it is called with, of one sample; of attention those of query, value and key.
        gives: Shape of what it gives, of one sample; the first, if there are several.

    Returns:
        The count for one sample in inference, or None if nothing is known of such a layer.
    """
    for class_ in type(layer).__mro__:
        if class_ in _COUNTS:
            return _COUNTS[class_](layer, given, gives)
    return Amount() if _is_elementwise(layer) else None


def _is_elementwise(layer: Any) -> bool:
    """Whether a layer is known, and multiplies number by number only; of functions of TensorFlow, most do."""
    symbol = getattr(layer, "symbol", None)
    if symbol is not None:
        return not any(word in symbol for word in ("conv", "matmul", "einsum", "tensordot", "matvec"))
    return type(layer).__module__.split(".")[0] in ("tf_keras", "keras", "trainkit")


def _dense(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    return amount_of(gives[:-1]) * _size(layer.kernel)


def _einsum(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    """Each weight is used at every position of the output that it has no axis for."""
    operands, _, output = layer.equation.replace(" ", "").partition("->")
    kernel = operands.split(",")[1]
    left, dots, right = output.partition("...")
    free = len(gives) + 1 - len(left) - len(right)
    labels = [*left, *("." * free if dots else ""), *right]
    positions = [size for label, size in zip(labels[1:], gives, strict=True) if label not in kernel]
    return amount_of(positions) * _size(layer.kernel)


def _convolution(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    return _positions(layer, gives) * _size(layer.kernel)


def _transposed(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    """Each value that comes in is multiplied with the whole kernel, also where the result is cut off."""
    return _positions(layer, given[0]) * _size(layer.kernel)


def _depthwise(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    return _positions(layer, gives) * _size(layer.depthwise_kernel)


def _separable(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    return _positions(layer, gives) * (_size(layer.depthwise_kernel) + _size(layer.pointwise_kernel))


def _locally_connected(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    """As a convolution; the layer may hold its kernel with more zeros than numbers."""
    channels = given[0][0 if layer.data_format == "channels_first" else -1]
    return _positions(layer, gives) * amount_of([*layer.kernel_size, channels, layer.filters])


def _positions(layer: Any, shape: Shape) -> Amount:
    """The places of an output that all channels have, with the axes before an image too."""
    rank = len(layer.kernel_size)
    channel = len(shape) - 1 - (rank if layer.data_format == "channels_first" else 0)
    return amount_of(size for axis, size in enumerate(shape) if axis != channel)


def _recurrent(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount | None:
    cell = _cell(layer.cell)
    return None if cell is None else amount_of(given[0][:1]) * cell


def _cell(cell: Any) -> int | None:
    """A step: every weight of the two kernels is used once."""
    if isinstance(cell, tf.keras.layers.StackedRNNCells):
        sizes = [_cell(inner) for inner in cell.cells]
        return None if None in sizes else sum(size for size in sizes if size is not None)
    kernels = [getattr(cell, name, None) for name in ("kernel", "recurrent_kernel")]
    return None if any(kernel is None for kernel in kernels) else sum(_size(kernel) for kernel in kernels)


def _convolutional_recurrent(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    shape = gives[1:] if layer.return_sequences else gives
    kernels = _size(layer.cell.kernel) + _size(layer.cell.recurrent_kernel)
    return amount_of(given[0][:1]) * _positions(layer.cell, shape) * kernels


def _bidirectional(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount | None:
    return _sum(_inside(inner, given) for inner in (layer.forward_layer, layer.backward_layer))


def _time_distributed(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount | None:
    step = _inside(layer.layer, [shape[1:] for shape in given])
    return None if step is None else amount_of(given[0][:1]) * step


def _wrapped(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount | None:
    return _inside(layer.layer, given)


def _inside(layer: Any, given: Sequence[Shape]) -> Amount | None:
    """A layer that a wrapper calls."""
    shapes = [(None, *shape) for shape in given]
    found = layer.compute_output_shape(shapes if len(shapes) > 1 else shapes[0])
    first = found[0] if isinstance(found, list) else found
    return count_macs(layer, given, tuple(first)[1:])


def _model(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount | None:
    from trainkit.models.costs.layers import layer_costs  # a model is made of layers again

    return _sum(cost.macs for cost in layer_costs(layer)) if hasattr(layer, "_nodes_by_depth") else None


def _sum(counts: Any) -> Amount | None:
    found = list(counts)
    return None if None in found else total(found)


def _dot(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    axis = layer.axes if isinstance(layer.axes, int) else layer.axes[0]
    return amount_of(gives) * amount_of([(None, *given[0])[axis]])


def _attention(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    """The weighted sum of the values; before, the products of queries and keys, unless they are only added up."""
    query, value, *_ = given
    steps = amount_of(value[-2:-1])
    scores = getattr(layer, "score_mode", "dot") == "dot"
    return (amount_of(query) * steps if scores else Amount()) + amount_of(gives) * steps


def _additive_attention(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    query, value, *_ = given
    steps = amount_of(value[-2:-1])
    return (amount_of(query) * steps if layer.use_scale else Amount()) + amount_of(gives) * steps


def _multi_head_attention(layer: Any, given: Sequence[Shape], gives: Shape) -> Amount:
    query, value, key = (*given, given[1])[:3]
    steps = amount_of(value[axis - 1] for axis in layer._attention_axes)
    dense = [(layer._query_dense, query), (layer._value_dense, value), (layer._key_dense, key)]
    projections = total(amount_of(shape[:-1]) * _size(inner.kernel) for inner, shape in dense)
    heads = layer._num_heads * (layer._key_dim + layer._value_dim)
    output = amount_of(query[:-1]) * _size(layer._output_dense.kernel)
    return projections + amount_of(query[:-1]) * steps * heads + output


def _size(weight: Any) -> int:
    return int(weight.shape.num_elements())


_K = tf.keras.layers
_COUNTS: dict[type, Count] = {
    tf.keras.Model: _model,
    _K.AdditiveAttention: _additive_attention,
    _K.Attention: _attention,
    _K.Bidirectional: _bidirectional,
    _K.Conv1D: _convolution,
    _K.Conv1DTranspose: _transposed,
    _K.Conv2D: _convolution,
    _K.Conv2DTranspose: _transposed,
    _K.Conv3D: _convolution,
    _K.Conv3DTranspose: _transposed,
    _K.ConvLSTM1D: _convolutional_recurrent,
    _K.ConvLSTM2D: _convolutional_recurrent,
    _K.ConvLSTM3D: _convolutional_recurrent,
    _K.Dense: _dense,
    _K.DepthwiseConv1D: _depthwise,
    _K.DepthwiseConv2D: _depthwise,
    _K.Dot: _dot,
    _K.EinsumDense: _einsum,
    _K.Lambda: lambda layer, given, gives: None,
    _K.LocallyConnected1D: _locally_connected,
    _K.LocallyConnected2D: _locally_connected,
    _K.MultiHeadAttention: _multi_head_attention,
    _K.RNN: _recurrent,
    _K.SeparableConv1D: _separable,
    _K.SeparableConv2D: _separable,
    _K.SpectralNormalization: _wrapped,
    _K.TimeDistributed: _time_distributed,
}

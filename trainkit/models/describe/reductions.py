"""Means, sums and maxima over axes of each sample, as layers of Keras."""

from __future__ import annotations

from typing import Any

from trainkit.config import known_names
from trainkit.models.describe.operation import Operation, product, sizes
from trainkit.models.describe.step import Ref, RefusalError, Step
from trainkit.models.describe.values import plain


def reduce_mean(operation: Operation) -> Step:
    """The mean over axes."""
    return _reduce(operation, "Average")[0]


def reduce_max(operation: Operation) -> Step:
    """The maximum over axes."""
    return _reduce(operation, "Max")[0]


def reduce_sum(operation: Operation) -> Step:
    """The sum over axes: so many times the mean."""
    mean, count = _reduce(operation, "Average")
    if count < 0:
        raise RefusalError("it sums over an axis that can have any length")
    return operation.layer("Rescaling", {"scale": count}, mean)


def _reduce(operation: Operation, kind: str) -> tuple[Step, int]:
    """Pool over axes; also how many values they hold."""
    shape = list(operation.shape(0, "input_tensor"))
    rank, axes = len(shape), _axes(operation, len(shape))
    value, keepdims = operation.tensor(0, "input_tensor"), bool(operation.argument(2, "keepdims", False))
    count = product([shape[axis] for axis in axes])
    if axes == list(range(1, rank - 1)) and rank <= 5:
        return _pool_globally(operation, f"Global{kind}Pooling{rank - 2}D", value, keepdims=keepdims), count
    if axes != list(range(axes[0], axes[-1] + 1)) or count < 0:
        raise RefusalError("it works over axes that are apart, or can have any length")
    before, after = shape[1 : axes[0]], shape[axes[-1] + 1 :]
    apart = operation.reshape(value, [_size(before), count, _size(after)])
    pooled = operation.layer(f"{kind}Pooling2D", {"pool_size": [1, count]}, apart)
    return operation.reshape(pooled, sizes(operation.outputs[0].shape[1:])), count


def _pool_globally(operation: Operation, class_name: str, value: Ref, *, keepdims: bool) -> Step:
    if keepdims and "keepdims" in known_names("layer")[class_name]:
        return operation.layer(class_name, {"keepdims": True}, value)
    pooled = operation.layer(class_name, {}, value)
    return operation.reshape(pooled, operation.outputs[0].shape[1:]) if keepdims else pooled


def _axes(operation: Operation, rank: int) -> list[int]:
    axes = plain(operation.argument(1, "axis"))
    if axes is None:
        raise RefusalError("it works over all samples at once")
    return sorted(operation.axis(axis, rank) for axis in (axes if isinstance(axes, list) else [axes]))


def _size(shape: Any) -> int | None:
    held = product(shape)
    return None if held < 0 else held

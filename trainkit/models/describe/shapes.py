"""Functions of TensorFlow that move values around, as layers of Keras that do the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainkit.models.describe.operation import Operation, product, sizes
from trainkit.models.describe.step import Ref, RefusalError, Size, Step
from trainkit.models.describe.values import plain

Shape = Sequence[int | None]


def shape_of(operation: Operation) -> Size:
    """The shape of a value, which only `reshape` may ask for."""
    return Size(operation.argument(0, "input"))


def reshape(operation: Operation) -> Step:
    """Reshape each sample: the first axis has to stay that of the batch."""
    before = operation.shape(0, "tensor")[1:]
    target = operation.given(operation.argument(1, "shape"))
    if not isinstance(target, list | tuple):
        raise RefusalError("the shape that it gives is computed")
    first, *rest = [operation.given(item) for item in target]
    after = [_length(item) for item in rest]
    keeps_batch = isinstance(first, Size) and first.axis == 0
    if not keeps_batch and (first != -1 or product(before) < 0 or product(before) != product(after)):
        raise RefusalError("it reshapes across samples")
    return operation.reshape(operation.tensor(0, "tensor"), after)


def _length(item: Any) -> int | None:
    if isinstance(item, Size) and item.axis is not None:
        return item.of.shape[item.axis]
    if not isinstance(item, int):
        raise RefusalError("the shape that it gives is computed")
    return None if item == -1 else item


def expand(operation: Operation) -> Step:
    """Add or take away axes of length 1."""
    rank = max(len(operation.shape(0, "input")), len(operation.outputs[0].shape))
    axes = plain(operation.argument(1, "axis"))
    for axis in axes if isinstance(axes, list) else [] if axes is None else [axes]:
        operation.axis(axis, rank)
    return operation.reshape(operation.tensor(0, "input"), operation.outputs[0].shape[1:])


def transpose(operation: Operation) -> Step:
    """Change the order of the axes of each sample."""
    order = plain(operation.argument(1, "perm"))
    if not isinstance(order, list) or order[0] != 0:
        raise RefusalError("it moves the axis of the samples")
    return operation.layer("Permute", {"dims": order[1:]}, operation.tensor(0, "a"))


def concatenate(operation: Operation) -> Step:
    """Join values along an axis."""
    values = operation.argument(0, "values")
    axis = operation.axis(plain(operation.argument(1, "axis")), rank := len(values[0].shape))
    return _join(operation, [_value(operation, item) for item in values], axis, rank)


def stack(operation: Operation) -> Step:
    """Join values along a new axis."""
    values = operation.argument(0, "values")
    axis = operation.axis(plain(operation.argument(1, "axis", 0)), rank := len(values[0].shape) + 1)
    shape = [1 if index == axis else size for index, size in enumerate(operation.outputs[0].shape)][1:]
    return _join(operation, [operation.reshape(_value(operation, item), shape) for item in values], axis, rank)


def _join(operation: Operation, values: list[Ref], axis: int, rank: int) -> Step:
    return operation.layer("Concatenate", {} if axis == rank - 1 else {"axis": axis}, values)


def _value(operation: Operation, item: Any) -> Ref:
    found = operation.given(item)
    if not isinstance(found, Ref):
        raise RefusalError("it is called with constants")
    return found


def slice_axes(operation: Operation) -> Any:
    """`x[:, 2:5]`, `x[:, 0]` and the like; of the shape of a value, the length of an axis."""
    found = operation.given(operation.argument(0, "tensor"))
    spec = plain(operation.argument(1, "slice_spec"))
    spec = [_bounds(item) for item in (spec if isinstance(spec, list) else [spec])]
    if isinstance(found, Size):
        if len(spec) != 1 or type(spec[0]) is not int:
            raise RefusalError("it takes several lengths of a shape")
        return Size(found.of, spec[0] % len(found.of.shape))
    shape = list(operation.shape(0, "tensor"))
    if not isinstance(found, Ref) or len(spec) > len(shape) or spec[0] != (None, None):
        raise RefusalError("it takes a part of the samples, or an index that is computed")
    for axis, part in enumerate(spec):
        start, stop = (part, part + 1 if part != -1 else None) if isinstance(part, int) else part
        low, high = _margins(start, stop, shape[axis])
        if low or high:
            found, shape[axis] = _crop(operation, found, shape, axis, (low, high)), _shorter(shape[axis], low + high)
    is_index = any(isinstance(part, int) for part in spec)
    return operation.reshape(found, operation.outputs[0].shape[1:]) if is_index else found


def split(operation: Operation) -> list[Step]:
    """Cut a value into several along an axis."""
    shape = list(operation.shape(0, "value"))
    axis = operation.axis(plain(operation.argument(2, "axis", 0)), len(shape))
    value, size = operation.tensor(0, "value"), _known(shape[axis])
    parts, start = [], 0
    for output in operation.outputs:
        stop = start + _known(output.shape[axis])
        parts.append(_crop(operation, value, shape, axis, (start, size - stop)))
        start = stop
    return parts


def unstack(operation: Operation) -> list[Step]:
    """Every index of an axis as a value of its own."""
    shape = list(operation.shape(0, "value"))
    axis = operation.axis(plain(operation.argument(2, "axis", 0)), len(shape))
    value, size = operation.tensor(0, "value"), _known(shape[axis])
    cut = [_crop(operation, value, shape, axis, (index, size - index - 1)) for index in range(size)]
    return [operation.reshape(part, operation.outputs[0].shape[1:]) for part in cut]


def _bounds(item: Any) -> int | tuple[int | None, int | None]:
    """One part of a slice: an index, or start and stop."""
    if isinstance(item, slice):
        item = {"start": item.start, "stop": item.stop, "step": item.step}
    if isinstance(item, dict) and item.get("step") in (None, 1):
        ends = item["start"], item["stop"]
        if all(end is None or type(end) is int for end in ends):
            return ends
    if type(item) is int:
        return item
    raise RefusalError("it slices with steps, new axes, or what is computed")


def _margins(start: int | None, stop: int | None, size: int | None) -> tuple[int, int]:
    """What a slice leaves out at the two ends of an axis."""
    low = start or 0
    low = low if low >= 0 else max(0, low + _known(size))
    if stop is not None and stop >= 0:
        return low, max(0, _known(size) - stop)
    return low, -(stop or 0)


def _known(size: int | None) -> int:
    if size is None:
        raise RefusalError("the axis that it cuts can have any length")
    return int(size)


def _shorter(size: int | None, by: int) -> int | None:
    return None if size is None else size - by


def _crop(operation: Operation, value: Ref, shape: Shape, axis: int, margins: tuple[int, int]) -> Step:
    """Leave out the two ends of an axis."""
    cut = list(margins)
    if len(shape) == 3 and axis == 1:
        return operation.layer("Cropping1D", {"cropping": cut}, value)
    if len(shape) == 4 and axis in (1, 2):
        return operation.layer("Cropping2D", {"cropping": [cut, [0, 0]] if axis == 1 else [[0, 0], cut]}, value)
    before, after = product(shape[1:axis]), product(shape[axis + 1 :])
    apart = operation.reshape(value, [None if before < 0 else before, shape[axis], None if after < 0 else after])
    cropped = operation.layer("Cropping2D", {"cropping": [[0, 0], cut]}, apart)
    return operation.reshape(cropped, sizes([*shape[1:axis], _shorter(shape[axis], sum(cut)), *shape[axis + 1 :]]))

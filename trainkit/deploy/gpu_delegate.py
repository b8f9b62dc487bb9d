"""Which operations of a .tflite the GPU delegate takes; the others stay on the CPU.

TensorFlow's `Analyzer` says since 2.18 of every file that it fits: the rules were taken out of it. Those here are of
TensorFlow 2.17, which `tests/deploy/test_gpu_delegate.py` asks where it is installed, and that of four axes, which the
delegate has besides.

Reference:
    TensorFlow 2.17, lite/tools/versioning/gpu_compatibility.cc and lite/delegates/gpu/common/model_builder_helper.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from trainkit.deploy.operations import Operation
from trainkit.errors import counted
from trainkit.inference.tflite_graph import Tensor

Rule = Callable[[Operation], str]
"""Says what is against an operation, or nothing."""

MOST_AXES = 4
_FLOATS = ("float16", "float32")


def refusal(operation: Operation) -> str:
    """What the GPU delegate has against an operation, or nothing.

    Example:
        >>> refusal(Operation("SHAPE", (), ()))
        'it has no such operation'
    """
    return _too_many_axes(operation) or rule_of(operation)


def rule_of(operation: Operation) -> str:
    """What `Analyzer` had against an operation."""
    rule = None if operation.is_custom else _RULES.get(operation.kind)
    return "it has no such operation" if rule is None else rule(operation)


def _too_many_axes(operation: Operation) -> str:
    tensors = [tensor for tensor in (*operation.inputs, *operation.outputs) if not tensor.is_constant]
    most = max((len(tensor.shape) for tensor in tensors), default=0)
    return f"a tensor has {most} axes, and {MOST_AXES} are the most" if most > MOST_AXES else ""


def _any(operation: Operation) -> str:
    return ""


def _takes(computed: int, constant: int | None = None) -> Rule:
    """Takes so many computed tensors, and so many that stand in the file."""

    def rule(operation: Operation) -> str:
        found = _computed(operation)
        if len(found) != computed:
            return f"it takes {counted(computed, 'computed tensor')}, and here are {len(found)}"
        fixed = len(operation.inputs) - len(found)
        if constant is not None and fixed != constant:
            return f"it takes {counted(constant, 'constant')}, and here are {fixed}"
        return ""

    return rule


def _two(operation: Operation) -> str:
    return "" if len(operation.inputs) == 2 else f"it takes 2 tensors, and here are {len(operation.inputs)}"


def _both(operation: Operation) -> str:
    fits = not _takes(2, 0)(operation) or not _takes(1, 1)(operation)
    return "" if fits else "it takes two tensors, of which one is computed at least"


def _weighted(operation: Operation) -> str:
    """Convolutions, with or without a kernel that is computed."""
    found = len(_computed(operation))
    return f"it takes 1 or 2 computed tensors, and here are {found}" if found > 2 else ""


def _depthwise(operation: Operation) -> str:
    if told := _weighted(operation):
        return told
    multiplier, channels = operation.options.depthMultiplier, operation.inputs[0].shape[-1]
    return "it takes `depth_multiplier` for one channel only" if multiplier != 1 and channels != 1 else ""


def _fully_connected(operation: Operation) -> str:
    if len(_computed(operation)) > 2 or operation.inputs[0].is_constant:
        return "it takes one computed input, and a kernel"
    same = len(operation.inputs[0].shape) == len(operation.outputs[0].shape)
    return "" if same or not operation.options.keepNumDims else "it keeps the number of axes, and here they differ"


def _axes(operation: Operation) -> str:
    """Reductions along axes that stand in the file."""
    axes = operation.inputs[1]
    if axes.is_constant and axes.dtype == "int32":
        return _takes(1)(operation)
    return "it takes axes that are constant"


def _add(operation: Operation) -> str:
    return _two(operation) or _stretched(*operation.inputs)


def _multiply(operation: Operation) -> str:
    if told := _two(operation):
        return told
    left, right = (tensor.shape for tensor in operation.inputs)
    if len(left) != len(right):
        return _stretched(*operation.inputs)
    pairs = list(zip(left, right, strict=True))
    crossed = any(one < other for one, other in pairs) and any(one > other for one, other in pairs)
    return "it stretches one of its tensors, not both" if crossed else ""


def _stretched(left: Tensor, right: Tensor) -> str:
    """Whether a tensor is stretched along axes that it has not."""
    less, more = sorted((left.shape, right.shape), key=len)
    if len(less) == len(more) or len(less) <= 1:
        return ""
    pairs = zip(reversed(less), reversed(more), strict=False)
    fits = all(one == other or 1 in (one, other) for one, other in pairs)
    return "" if fits else f"it cannot stretch {list(less)} to {list(more)}"


def _cast(operation: Operation) -> str:
    source, target = operation.inputs[0].dtype, operation.outputs[0].dtype
    numbers = ("float32", "int32")
    fits = (
        (source == "bool" and target in _FLOATS)
        or (source in _FLOATS and target == "bool")
        or (source in numbers and target in numbers)
    )
    return _takes(1)(operation) or ("" if fits else f"it makes no {target} of {source}")


def _dequantize(operation: Operation) -> str:
    return "it takes no int16" if operation.inputs[0].dtype == "int16" else ""


def _blocks(operation: Operation) -> str:
    return _takes(1)(operation) or ("" if operation.options.blockSize > 1 else "its blocks are of one value")


def _gather(operation: Operation) -> str:
    table, places = operation.inputs[:2]
    if told := _both(operation):
        return told
    if table.dtype == "int32":
        return "it takes no int32"
    if len(places.shape) != 1:
        return f"it takes places of one axis, and here are {len(places.shape)}"
    return "" if places.dtype == "int32" else f"it takes places in int32, and here is {places.dtype}"


def _one_hot(operation: Operation) -> str:
    ids, _, on, off = operation.inputs
    if ids.dtype != "int32" or not all(one.is_constant and one.dtype == "float32" for one in (on, off)):
        return "it makes float32 of int32"
    if operation.options.axis not in (-1, ids.shape[-1]):
        return "it adds the last axis only"
    first = 1 if len(ids.shape) > 3 else 0
    return "" if all(size == 1 for size in ids.shape[first:-1]) else "it takes one axis of numbers"


def _select(operation: Operation) -> str:
    condition, *values = operation.inputs
    shape = operation.outputs[0].shape
    if condition.dtype not in ("bool", *_FLOATS) or any(value.dtype not in _FLOATS for value in values):
        return "it chooses between real numbers only"
    if any(value.shape not in ((), (1,), shape) for value in values):
        return "it stretches no tensor"
    constants = [value for value in values if value.is_constant and len(value.shape) == 2]
    return "it takes no constant of two axes" if constants else ""


def _sliced(operation: Operation) -> str:
    axes = len(operation.inputs[0].shape)
    return "" if axes in (3, 4) else f"it cuts tensors of 3 or 4 axes, and here are {axes}"


def _strided(operation: Operation) -> str:
    masks = {"ellipsisMask": "`...`", "newAxisMask": "a new axis", "shrinkAxisMask": "a dropped axis"}
    for mask, name in masks.items():
        if getattr(operation.options, mask):
            return f"it cuts without {name}"
    return _sliced(operation)


def _softmax(operation: Operation) -> str:
    return "" if operation.options.beta == 1 else "it takes no factor"


def _padded(operation: Operation) -> str:
    if told := _takes(1)(operation):
        return told
    axes = operation.inputs[1].shape[0]
    return "" if axes in (3, 4) else f"it pads tensors of 3 or 4 axes, and here are {axes}"


def _all(names: Sequence[str], rule: Rule) -> Mapping[str, Rule]:
    return dict.fromkeys(names, rule)


_RULES: Mapping[str, Rule] = {
    "ADD": _add,
    "ADD_N": _two,
    "BATCH_MATMUL": _two,
    "CAST": _cast,
    "CONV_2D": _weighted,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEQUANTIZE": _dequantize,
    "FULLY_CONNECTED": _fully_connected,
    "GATHER": _gather,
    "MEAN": lambda operation: _takes(1, 1)(operation) or _axes(operation),
    "MUL": _multiply,
    "ONE_HOT": _one_hot,
    "SLICE": _sliced,
    "SOFTMAX": _softmax,
    "STRIDED_SLICE": _strided,
    "TRANSPOSE_CONV": _weighted,
    **_all(("CONCATENATION", "LEAKY_RELU", "PACK", "PRELU", "SPLIT", "SPLIT_V"), _any),
    **_all(("RELU", "RELU6", "RELU_N1_TO_1"), _any),
    **_all(("AVERAGE_POOL_2D", "HARD_SWISH", "MAX_POOL_2D", "QUANTIZE", "RESHAPE", "TILE", "TRANSPOSE"), _takes(1)),
    **_all(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _takes(1)),
    **_all(("DEPTH_TO_SPACE", "SPACE_TO_DEPTH"), _blocks),
    **_all(("REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM"), _axes),
    **_all(("SELECT", "SELECT_V2"), _select),
    **_all(("MIRROR_PAD", "PAD", "PADV2"), _padded),
    **_all(("ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "GELU", "LOG", "LOGISTIC"), _takes(1, 0)),
    **_all(("NEG", "RSQRT", "SIGN", "SIN", "SQRT", "SQUARE", "TANH"), _takes(1, 0)),
    **_all(("DIV", "EQUAL", "FLOOR_DIV", "FLOOR_MOD", "GREATER", "GREATER_EQUAL", "LESS"), _both),
    **_all(("LESS_EQUAL", "LOGICAL_AND", "MAXIMUM", "MINIMUM", "NOT_EQUAL", "POW", "SQUARED_DIFFERENCE", "SUB"), _both),
}


def _computed(operation: Operation) -> list[Tensor]:
    return [tensor for tensor in operation.inputs if not tensor.is_constant]

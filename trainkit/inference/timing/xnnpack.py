"""Kernels of XNNPACK, as its profiler names them -> the operations of a .tflite file, and so the Keras layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainkit.inference.layer_names import layer_of, outermost
from trainkit.inference.timing.runtime import steady_mean

HELPERS = ("Static Reshape", "Convert", "Transpose", "Copy", "Constant Pad", "Reshape")
"""Kernels that XNNPACK puts before one that needs its input so; they belong to that."""

_KINDS = {
    "Convolution": ("CONV_2D", "DEPTHWISE_CONV_2D"),
    "Deconvolution": ("TRANSPOSE_CONV",),
    "Fully Connected": ("FULLY_CONNECTED", "CONV_2D", "BATCH_MATMUL"),
    "Dynamic Fully Connected": ("FULLY_CONNECTED", "BATCH_MATMUL"),
    "Batch Matrix Multiply": ("BATCH_MATMUL",),
    "Max Pooling": ("MAX_POOL_2D",),
    "Average Pooling": ("AVERAGE_POOL_2D", "MEAN"),
    "Global Average Pooling": ("MEAN", "AVERAGE_POOL_2D"),
    "Mean": ("MEAN",),
    "Sum": ("SUM", "MEAN"),
    "Softmax": ("SOFTMAX",),
    "Static Reshape": ("RESHAPE", "SQUEEZE", "EXPAND_DIMS"),
    "Reshape": ("RESHAPE", "SQUEEZE", "EXPAND_DIMS"),
    "Copy": ("RESHAPE", "SQUEEZE", "EXPAND_DIMS"),
    "Convert": ("QUANTIZE", "DEQUANTIZE", "CAST"),
    "Constant Pad": ("PAD", "PADV2"),
    "Clamp": ("RELU", "RELU6", "RELU_N1_TO_1", "MINIMUM", "MAXIMUM"),
    "Sigmoid": ("LOGISTIC",),
    "HardSwish": ("HARD_SWISH",),
    "Subtract": ("SUB",),
    "Multiply": ("MUL",),
    "Divide": ("DIV",),
    "Concatenate": ("CONCATENATION",),
    "Even Split": ("SPLIT",),
    "Slice": ("SLICE", "STRIDED_SLICE"),
    "Reciprocal Square Root": ("RSQRT",),
    "Square Root": ("SQRT",),
    "Negate": ("NEG",),
    "Leaky ReLU": ("LEAKY_RELU",),
}
"""What a kernel may stand for, where its name is not that of the operation itself: `Add`, `Tanh`, `Transpose`. A 1×1
convolution is run as a fully connected layer of each pixel."""
_DEPTHWISE = "DWConv"


@dataclass(frozen=True)
class Event:
    """What the profiler has seen of one run.

    Args:
        name: Of the kernel, or of the operation.
        is_kernel: Whether a kernel of XNNPACK; else an operation that LiteRT has run by itself.
        index: Of the operation in the file; of a kernel, in its part of the graph.
        subgraph: Where the operation stands; of a kernel nothing is known of it.
        us: Whole microseconds.
    """

    name: str
    is_kernel: bool
    index: int
    subgraph: int
    us: int


def operations_of(events: Sequence[Event], nodes: Sequence[tuple[str, list[str]]], runs: int) -> dict[str, Any]:
    """The mean time of each operation, and its layer.

    Args:
        events: Of all runs, one after the other.
        nodes: What each operation of the file is, and the names of its tensors, the outputs first.
        runs: How often the file was run.

    Returns:
        `operations`, `runs` and `undelegated`: the operations that LiteRT has run by itself. A kernel that stands for
        no operation that is known has no layer.
    """
    main = [event for event in events if event.is_kernel or event.subgraph == 0]
    if len(main) != len(events):  # loops: which kernels are inside nobody tells, and the loop itself counts them
        main = [event for event in main if not event.is_kernel]
    length = len(main) // runs
    first = main[:length]
    times = [steady_mean([event.us for event in main[position::length]]) for position in range(length)]
    own = [event.index for event in first if not event.is_kernel and event.index < len(nodes)]
    matched = _match(first, nodes, set(own))
    layers = outermost([_layer(nodes[node][1]) if node is not None else "" for node in matched])
    operations = [
        {
            "operation": nodes[node][0] if node is not None else "",
            "layer": layer,
            "kernel": f"XNNPACK {event.name}" if event.is_kernel else "LiteRT",
            "us": us,
        }
        for event, node, layer, us in zip(first, matched, layers, times, strict=True)
    ]
    return {"operations": operations, "runs": runs, "undelegated": sorted({nodes[index][0] for index in own})}


def _layer(names: list[str]) -> str:
    """The layer that the first name tells which tells one: the last output of a file has the name of no layer."""
    return next(filter(None, map(layer_of, names)), "")


def _match(events: Sequence[Event], nodes: Sequence[tuple[str, list[str]]], own: set[int]) -> list[int | None]:
    """The operation of each event: kernels run in the order of the operations that they stand for."""
    kernels = [position for position, event in enumerate(events) if event.is_kernel]
    others = [index for index in range(len(nodes)) if index not in own]
    pairs = _longest([events[position].name for position in kernels], [nodes[index][0] for index in others])
    found: list[int | None] = [None if event.is_kernel else event.index for event in events]
    for kernel, other in pairs:
        found[kernels[kernel]] = others[other]
    for position in reversed(range(len(events) - 1)):  # a helper belongs to what follows
        if found[position] is None and events[position].name.startswith(HELPERS):
            found[position] = found[position + 1]
    return [node if node is not None and node < len(nodes) else None for node in found]


def _longest(kernels: Sequence[str], operations: Sequence[str]) -> list[tuple[int, int]]:
    """The longest common subsequence of kernels and the operations that they may stand for, as pairs of positions."""
    lengths = [[0] * (len(operations) + 1) for _ in range(len(kernels) + 1)]
    for i in reversed(range(len(kernels))):
        for j in reversed(range(len(operations))):
            matching = lengths[i + 1][j + 1] + 1 if stands_for(kernels[i], operations[j]) else 0
            lengths[i][j] = max(matching, lengths[i + 1][j], lengths[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(kernels) and j < len(operations):
        if stands_for(kernels[i], operations[j]) and lengths[i][j] == lengths[i + 1][j + 1] + 1:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def stands_for(kernel: str, operation: str) -> bool:
    """Whether a kernel may be that of an operation.

    Example:
        >>> stands_for("Convolution (NHWC, F32) IGEMM", "CONV_2D"), stands_for("Add (ND, F32)", "ADD")
        (True, True)
        >>> stands_for("Convolution (NHWC, F32) DWConv", "CONV_2D")
        False
    """
    if kernel.endswith(_DEPTHWISE):
        return operation == "DEPTHWISE_CONV_2D"
    name = kernel.partition(" (")[0]
    return operation in _KINDS.get(name, (name.upper().replace(" ", "_"),))

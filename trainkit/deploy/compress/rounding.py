"""Whether an int8 file rounds as the network that it was made from has trained to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.deploy.compress.constants import Constant, is_name_of, operation_names, read_constants
from trainkit.deploy.compress.quantization.stored import StoredKernel, stored_kernels
from trainkit.inference.tflite_graph import TFLiteGraph

LARGEST = 0.01
"""How far values may be from their integers, in steps: float32 arithmetic; one that was never rounded is 0.5 off."""


def rounding_faults(file: Path | TFLiteGraph, model: Any, layers: Sequence[Mapping[str, str]]) -> list[str]:
    """What an int8 file does otherwise than the network that it was made from, a sentence each.

    Args:
        file: A .tflite or .onnx file that was just written here, or what `open_file` made of it.
        model: What `Quantize` has made.
        layers: Its report: `layer`, `class_name`, `status` of each layer.
    """
    return [*_kernel_faults(read_constants(file), model), *_folding_faults(operation_names(file), layers)]


def _kernel_faults(constants: Sequence[Constant], model: Any) -> Iterator[str]:
    """Kernels that were not rounded while they trained, or that the converter has rounded in its own way."""
    for layer, kernel in stored_kernels(model).items():
        name = f"Quantize, layer {layer!r}"
        if kernel.off > LARGEST:
            yield f"{name}: a kernel that trained rounded expected, found: one that is {kernel.off:.2f} steps off."
            continue
        size = kernel.integers.size
        found = [one for one in constants if one.is_of(layer, size) and one.values.dtype == np.int8]
        if not any(_are_equal(one.values, axis, kernel) for one in found for axis in (one.channels, -1)):
            what = "others" if found else "none"
            yield f"{name}: the {size:,} int8 values that it trained with expected, found: {what}."


def _are_equal(values: np.ndarray, axis: int | None, kernel: StoredKernel) -> bool:
    """Whether the channels of two kernels hold values of the same sizes; formats order those of a channel otherwise.

    Where a channel is nearly dead, the converter takes a larger scale, so that 32 bits hold the bias: its integers are
    then smaller by a factor, and off by one at most.
    """
    found, trained = _sizes(values, (axis or 0,)), _sizes(kernel.integers, kernel.axes)
    if found.shape != trained.shape:
        return False
    factors = found.max(axis=1, keepdims=True) / np.maximum(trained.max(axis=1, keepdims=True), 1)
    off = np.abs(found - np.rint(trained * factors))
    return bool((off <= np.where(factors == 1, 0, 1)).all())


def _sizes(integers: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The absolute values of each channel, in ascending order: shape `(channels, values)`."""
    channels = int(np.prod([integers.shape[axis] for axis in axes]))
    first = np.moveaxis(np.abs(integers.astype(np.int16)), axes, range(len(axes)))
    return np.sort(first.reshape(channels, -1), axis=1)


_NORMALIZING = ("ADD", "DIV", "MUL", "RSQRT", "SUB")


def _folding_faults(operations: Sequence[tuple[str, str]], layers: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Batch normalizations that are said to be folded, and computed by operations of their own."""
    for layer in layers:
        if layer["status"] != "folded":
            continue
        own = [kind for kind, name in operations if kind in _NORMALIZING and _computes(name, layer["layer"])]
        if own:
            found = ", ".join(sorted(set(own)))
            yield f"Quantize, layer {layer['layer']!r}: folded into the layer before expected, found: {found}."


def _computes(name: str, layer: str) -> bool:
    """Whether an operation is a layer's, and not only the rounding of what it gives, fused into what takes that."""
    return any(is_name_of(whole, layer) and "FixedQuantize" not in whole for whole in name.split(";"))

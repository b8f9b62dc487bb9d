"""Whether an int8 file rounds as the network that it was made from has trained to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.deploy.compress.constants import Constant, is_name_of, read_constants, read_operations
from trainkit.deploy.compress.quantization.stored import stored_kernels

LARGEST = 0.01
"""How far values may be from their integers, in steps: float32 arithmetic; one that was never rounded is 0.5 off."""


def rounding_faults(filepath: Path, model: Any, layers: Sequence[Mapping[str, str]]) -> list[str]:
    """What an int8 file does otherwise than the network that it was made from, a sentence each.

    Args:
        filepath: A .tflite file that was just written here.
        model: What `Quantize` has made.
        layers: Its report: `layer`, `class_name`, `status` of each layer.
    """
    constants = read_constants(filepath)
    return [*_kernel_faults(constants, model), *_folding_faults(filepath, layers)]


def _kernel_faults(constants: Sequence[Constant], model: Any) -> Iterator[str]:
    """Kernels that were not rounded while they trained, or that the converter has rounded in its own way."""
    for layer, kernel in stored_kernels(model).items():
        name = f"Quantize, layer {layer!r}"
        if kernel.off > LARGEST:
            yield f"{name}: a kernel that trained rounded expected, found: one that is {kernel.off:.2f} steps off."
            continue
        found = [one.values for one in constants if one.is_of(layer, kernel.integers.size) and _is_int8(one)]
        if not any(_are_equal(values, kernel.integers) for values in found):
            what = "others" if found else "none"
            yield f"{name}: the {kernel.integers.size:,} int8 values that it trained with expected, found: {what}."


def _is_int8(constant: Constant) -> bool:
    return constant.values.dtype == np.int8


def _are_equal(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two kernels have the same values: formats lay them out differently, converters may turn signs."""
    return np.array_equal(_sizes(first), _sizes(second))


def _sizes(integers: np.ndarray) -> np.ndarray:
    return np.sort(np.abs(integers.astype(np.int16)), axis=None)


def _folding_faults(filepath: Path, layers: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Batch normalizations that are said to be folded, and computed by operations of their own."""
    operations = read_operations(filepath)
    for layer in layers:
        if layer["status"] != "folded":
            continue
        own = [kind for kind, name in operations if is_name_of(name, layer["layer"])]
        if own:
            found = ", ".join(sorted(set(own)))
            yield f"Quantize, layer {layer['layer']!r}: folded into the layer before expected, found: {found}."

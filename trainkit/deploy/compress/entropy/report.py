"""What the weights of a model cost that are a step times integers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from trainkit.deploy.compress.entropy.rate import rate_of
from trainkit.deploy.compress.kernels import variables_of
from trainkit.deploy.compress.reparameterized import Reparameterized
from trainkit.framework import tf


def steps_of(model: Any) -> Iterator[tuple[str, Any, float]]:
    """Layer, variable and step of each weight that is computed on a grid.

    Args:
        model: What `reparameterize` gave.
    """
    for layer in model.layers:
        if isinstance(layer, Reparameterized):
            for variable, transform in zip(layer.raw, layer.transforms, strict=True):
                yield layer.name, variable, float(transform.step)


def facts_of(model: Any, steps: list[tuple[str, Any, float]]) -> dict[str, Any]:
    """What is told of the weights, ready for JSON.

    Args:
        model: The plain model.
        steps: Layer, variable and step of each weight on a grid.
    """
    weights = [_entry(layer, variable, step) for layer, variable, step in steps]
    values = sum(int(np.prod(one.shape)) for one in variables_of(model) if one.dtype.is_floating)
    on_grid = sum(one["size"] for one in weights)
    return {
        "weights": weights,
        "nonzeros": sum(one["nonzeros"] for one in weights),
        "estimated_bytes": round(sum(one["estimated_bits"] for one in weights) / 8),
        "values_off_grid": values - on_grid,
    }


def integers_of(variable: Any, step: float) -> np.ndarray:
    """The integers of a weight on a grid."""
    return np.rint(variable.numpy() / np.float32(step)).astype(np.int64)


def _entry(layer: str, variable: Any, step: float) -> dict[str, Any]:
    integers = integers_of(variable, step)
    return {
        "layer": layer,
        "weight": variable.name.split(":")[0].removeprefix(f"{layer}/"),
        "step": step,
        "size": int(integers.size),
        "nonzeros": int(np.count_nonzero(integers)),
        "estimated_bits": round(float(rate_of(tf.constant(integers, tf.float32))[0])),
    }

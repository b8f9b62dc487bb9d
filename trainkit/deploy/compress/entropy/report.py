"""What the weights of a model cost that are a step times integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from trainkit.coding.integers import layout_of
from trainkit.coding.tensors import write_tensor
from trainkit.deploy.compress.entropy.rate import rate_of
from trainkit.deploy.compress.kernels import variables_of
from trainkit.deploy.compress.reparameterized import Reparameterized
from trainkit.framework import tf
from trainkit.models.geometry import geometries

MOST_CODED = 2**20
"""Values that are coded to tell how many bytes that takes: each takes some microseconds."""


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

    Returns:
        `weights`: of each its `layer`, `weight`, `step`, `size`, `nonzeros`, `estimated_bytes` and, where they are few
        enough to be coded for the telling, `tkz_bytes`, those of a .tkz file. `values_off_grid`: how many numbers are
        on no grid.
    """
    coded = sum(variable.shape.num_elements() for _, variable, _ in steps) <= MOST_CODED
    places = geometries(model)
    weights = [_entry(layer, variable, step, places.get(id(variable))) for layer, variable, step in steps]
    if coded:
        for entry, (_, variable, _) in zip(weights, steps, strict=True):
            entry["tkz_bytes"] = len(write_tensor(variable.numpy(), geometry=places.get(id(variable))))
    values = sum(one.shape.num_elements() for one in variables_of(model) if one.dtype.is_floating)
    totals = ("nonzeros", "estimated_bytes", *(["tkz_bytes"] if coded else []))
    return {
        **{name: sum(one[name] for one in weights) for name in totals},
        "values_off_grid": values - sum(one["size"] for one in weights),
        "weights": weights,
    }


def _entry(layer: str, variable: Any, step: float, geometry: Sequence[int] | None) -> dict[str, Any]:
    integers = np.rint(variable.numpy() / np.float32(step)).astype(np.int64)
    bits, _ = rate_of(tf.constant(integers, tf.float32), layout_of(integers.shape, geometry))
    return {
        "layer": layer,
        "weight": variable.name.split(":")[0].removeprefix(f"{layer}/"),
        "step": step,
        "size": integers.size,
        "nonzeros": int(np.count_nonzero(integers)),
        "estimated_bytes": int(np.ceil(float(bits) / 8)),
    }

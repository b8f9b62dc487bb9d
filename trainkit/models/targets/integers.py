"""Layers that an int8 file computes with real numbers, or cannot hold.

Measured by converting networks of one layer each, and looking for real numbers in the files:
`tests/models/test_targets.py` does so again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trainkit.framework import tf
from trainkit.models.targets.parts import activations_of, class_of
from trainkit.models.targets.recurrent import uncountable_steps
from trainkit.models.targets.target import Lack

FLOAT_ACTIVATIONS: Mapping[str, tuple[str, ...]] = {"elu": ("ELU",)}
"""Activations without an integer kernel; `ELU`, the layer, has none either."""

_BENT = "Use relu, gelu, selu or swish, which are computed in integers."
_SPACE = "Use `precision: float16` or `dynamic`, or layers of fewer dimensions."
_THRESHOLD = Lack(("CAST",), "Leave out the threshold.")
_GATED = (tf.keras.layers.GRU, tf.keras.layers.GRUCell)
_FLOAT: Mapping[str, Lack] = {
    "ELU": Lack(FLOAT_ACTIVATIONS["elu"], _BENT),
    "Conv3D": Lack(("CONV_3D",), _SPACE),
    "Conv3DTranspose": Lack(("CONV_3D_TRANSPOSE", "SHAPE"), _SPACE),
    "GroupNormalization": Lack(("SQUARE",), "Use BatchNormalization, which becomes part of a convolution."),
    "Masking": Lack(("CAST", "NOT_EQUAL"), "Leave it out, or use `precision: dynamic`."),
    "ThresholdedReLU": _THRESHOLD,
}


def float_operations(layer: Any) -> Lack | None:
    """What a layer, without those that it calls, computes with real numbers in an int8 file."""
    if (lack := uncountable_steps(layer)) is not None:
        return lack
    lacks = [*_activations(layer), *([_FLOAT[name]] if (name := class_of(layer, _FLOAT)) else [])]
    operations = sorted({operation for lack in lacks for operation in lack.operations})
    return Lack(tuple(operations), " ".join(dict.fromkeys(lack.cure for lack in lacks))) if lacks else None


def _activations(layer: Any) -> Iterator[Lack]:
    if isinstance(layer, tf.keras.layers.ELU) and layer.alpha != 1:
        yield Lack(("MUL", "SELECT_V2"), _BENT)
    if isinstance(layer, _GATED) and not layer.reset_after and layer.implementation == 2:
        yield Lack(("SPLIT_V",), "Leave out `reset_after`, or write `implementation: 1`.")
    if isinstance(layer, tf.keras.layers.ReLU) and layer.threshold:
        yield _THRESHOLD
    for activation in sorted(activations_of(layer) & {*FLOAT_ACTIVATIONS}):
        yield Lack(FLOAT_ACTIVATIONS[activation], _BENT)

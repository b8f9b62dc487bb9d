"""Layers that TensorFlow Lite's GPU delegate leaves to the CPU, all or a part of them.

Measured by the rules of the delegate on the float files of networks of one layer each, which take any batch size:
`tests/models/test_targets.py` does so again. In a network the converter may do two layers in one step, or drop
one; the facts of the written file, in `verify.json`, have the last word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainkit.framework import tf
from trainkit.models.targets.parts import NOTHING, axes_of, class_of, is_loop, is_open, taken
from trainkit.models.targets.target import Lack

MOST_AXES = 4
_CPU = "The CPU computes it, with a copy there and back."
_AXES = Lack((), f"The delegate takes tensors of {MOST_AXES} axes at most, the batch among them.")
_COMPUTED = "The free batch size makes its shapes computed ones: the CPU does that, with a copy there and back."
_FLAT = "Convolutions and pooling of one dimension are made of those of two: use these, with a height of 1."
_RECURRENT = "The delegate has no recurrent layers."

_BY_CLASS: Mapping[str, Lack] = {
    "AdditiveAttention": Lack(("EXPAND_DIMS",), _CPU),
    "AveragePooling1D": Lack(("EXPAND_DIMS",), _FLAT),
    "CategoryEncoding": Lack(("GATHER", "SELECT_V2"), _CPU),
    "Conv1D": Lack(("EXPAND_DIMS",), _FLAT),
    "Conv1DTranspose": Lack(("EXPAND_DIMS", "SHAPE", "SQUEEZE", "STRIDED_SLICE"), _FLAT),
    "Conv2DTranspose": Lack(("SHAPE", "STRIDED_SLICE"), "Use UpSampling2D and Conv2D."),
    "Discretization": Lack(("CAST",), _CPU),
    "Embedding": Lack(("GATHER",), _CPU),
    "LayerNormalization": Lack(("FILL", "RESHAPE", "SHAPE", "STRIDED_SLICE"), "Use BatchNormalization."),
    "Masking": Lack(("REDUCE_ANY",), _CPU),
    "MaxPooling1D": Lack(("EXPAND_DIMS",), _FLAT),
    "RepeatVector": Lack(("EXPAND_DIMS",), _CPU),
    "Reshape": Lack(("RESHAPE", "SHAPE", "STRIDED_SLICE"), _COMPUTED),
    "SeparableConv1D": Lack(("EXPAND_DIMS",), _FLAT),
    "DepthwiseConv1D": Lack(("EXPAND_DIMS",), _FLAT),
    "UnitNormalization": Lack(("L2_NORMALIZATION",), _CPU),
}
_LOOKUPS = ("IntegerLookup", "StringLookup")
_MERGES = ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")


def refused_operations(layer: Any) -> Lack | None:
    """What the GPU delegate leaves to the CPU of a layer, without those that it calls."""
    name = class_of(layer, _NAMES)
    if name in NOTHING:
        return None
    if _axes(layer, name) > MOST_AXES:
        return _AXES
    if isinstance(layer, tf.keras.layers.RNN):
        return _recurrent(layer)
    rule = _RULES.get(name)
    found = rule(layer) if rule else None
    return found or _dilated(layer, name) or _BY_CLASS.get(name)


def _axes(layer: Any, name: str) -> int:
    """The most axes of what a layer computes with; some add one."""
    adds = name == "GroupNormalization" or (
        name == "MultiHeadAttention" and len(layer._attention_axes or ()) > 1  # Keras has no public name for them
    )
    return axes_of(layer) + adds


def _recurrent(layer: Any) -> Lack:
    if not is_loop(layer):
        return Lack(("FILL", "SHAPE", "STRIDED_SLICE", "UNPACK"), _RECURRENT)
    return Lack(("SHAPE", "WHILE") if is_open(layer) else ("WHILE",), _RECURRENT)


def _dilated(layer: Any, name: str) -> Lack | None:
    rates = getattr(layer, "dilation_rate", 1)
    if not name or max(tf.nest.flatten(rates)) == 1:
        return None
    flat = _BY_CLASS[name].operations if name in _BY_CLASS else ()
    return Lack(tuple(sorted(("BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", *flat))), "Leave out `dilation_rate`.")


def _cropped(layer: Any) -> Lack | None:
    sizes = zip((layer.height, layer.width), taken(layer)[0].shape[-3:-1], strict=True) if taken(layer) else ()
    larger = any(there is not None and size > there for size, there in sizes)  # then it is resized, and not cut
    return None if larger else Lack(("SHAPE", "STRIDED_SLICE"), "Use Cropping2D.")


def _dense(layer: Any) -> Lack | None:
    return Lack(("GATHER", "RESHAPE", "SHAPE"), _COMPUTED) if axes_of(layer) > 2 else None


def _depthwise(layer: Any) -> Lack | None:
    many = layer.depth_multiplier != 1 and layer.depthwise_kernel.shape[-2] != 1
    return Lack(("DEPTHWISE_CONV_2D",), "Leave out `depth_multiplier`.") if many else None


def _dot(layer: Any) -> Lack | None:
    normalized = ("L2_NORMALIZATION",) if layer.normalize else ()
    operations = ("EXPAND_DIMS", *normalized) if axes_of(layer) == 2 else normalized
    return Lack(operations, _CPU) if operations else None


def _merged(layer: Any) -> Lack | None:
    ranks = {tensor.shape.rank for tensor in taken(layer)}
    return Lack(("EXPAND_DIMS",), "Give it tensors of as many axes.") if len(ranks) > 1 else None


def _when(condition: Any, *operations: str, cure: str = _CPU) -> Any:
    """A rule that holds for some arguments only."""
    return lambda layer: Lack(operations, cure) if condition(layer) else None


_RULES: Mapping[str, Any] = {
    **dict.fromkeys(_LOOKUPS, _when(lambda layer: layer.output_mode != "int", "GATHER")),
    **dict.fromkeys(_MERGES, _merged),
    **dict.fromkeys(("DepthwiseConv2D", "SeparableConv2D"), _depthwise),
    **dict.fromkeys(
        ("LocallyConnected1D", "LocallyConnected2D"),
        _when(lambda layer: layer.implementation > 1, "RESHAPE", "SHAPE", "STRIDED_SLICE", cure=_COMPUTED),
    ),
    "CenterCrop": _cropped,
    "Attention": _when(lambda layer: layer.score_mode == "concat", "EXPAND_DIMS"),
    "Conv1D": _when(lambda layer: is_open(layer) and layer.dilation_rate == (1,), "EXPAND_DIMS", "SQUEEZE", cure=_FLAT),
    "Dense": _dense,
    "Discretization": _when(lambda layer: layer.output_mode != "int", "CAST", "GATHER"),
    "Dot": _dot,
    "Flatten": _when(is_open, "RESHAPE", "SHAPE", "STRIDED_SLICE", cure=_COMPUTED),
    "LayerNormalization": _when(
        lambda layer: taken(layer) and list(layer.axis) != [axes_of(layer) - 1], "MUL", cure="Use BatchNormalization."
    ),
    "UpSampling2D": _when(is_open, "RESIZE_NEAREST_NEIGHBOR", "SHAPE", "SLICE", cure=_COMPUTED),
}
_NAMES = {*_BY_CLASS, *NOTHING, *_RULES, "Conv2D", "GroupNormalization", "MultiHeadAttention"}

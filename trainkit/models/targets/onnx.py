"""Layers that an ONNX file cannot hold, or that ONNX Runtime does not open.

Measured by converting networks of one layer each with tf2onnx, checking the files and running them:
`tests/models/test_targets.py` does so again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainkit.framework import tf
from trainkit.models.targets.parts import CONVOLUTIONAL_LOOPS, class_of, is_loop, taken
from trainkit.models.targets.target import Lack

_TEXTS = "Of texts, only whole ones are looked up, by StringLookup; SavedModel holds all."
_BY_CLASS: Mapping[str, Lack] = {
    "HashedCrossing": Lack(("SparseCross",), "Replace it, or export SavedModel."),
    "Hashing": Lack(("StringToHashBucketFast",), "Use IntegerLookup, or export SavedModel."),
    "RandomCrop": Lack(("If",), "Use CenterCrop, or crop with `data.augment`, which is not exported."),
    "TextVectorization": Lack((), _TEXTS),
}
_SCALED = Lack(("ScaleAndTranslate",), "Use bilinear or nearest, which every format has.")
_INTERPOLATIONS: Mapping[str, Mapping[str, Lack]] = {
    "Resizing": {
        "bicubic": Lack(("Resize",), "ONNX Runtime does not open it: use bilinear or nearest."),
        **dict.fromkeys(("gaussian", "lanczos3", "lanczos5", "mitchellcubic"), _SCALED),
    },
    "UpSampling2D": dict.fromkeys(("gaussian", "lanczos3", "lanczos5", "mitchellcubic"), _SCALED),
}
_LOCAL = ("LocallyConnected1D", "LocallyConnected2D")
_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D")
_NAMES = {*_BY_CLASS, *_INTERPOLATIONS, *_LOCAL, *_CONVOLUTIONS}
_LOOP = "Nothing quantizes its steps: use `precision: float32`"
_UNROLL = f"{_LOOP}, or write `unroll: true`, with a fixed number of steps."


def missing_operations(layer: Any) -> Lack | None:
    """What ONNX lacks of a layer, without those that it calls."""
    name = class_of(layer, _NAMES)
    if name in _INTERPOLATIONS:
        return _INTERPOLATIONS[name].get(layer.interpolation)
    if name == "Hashing" and any(tensor.dtype == tf.string for tensor in taken(layer)):
        return Lack((), _TEXTS)
    if name in _CONVOLUTIONS and layer.groups > 1:
        return Lack(("PartitionedCall",), "Leave out `groups`, or use depthwise convolutions.")
    if name in _LOCAL and layer.implementation == 2:
        return Lack(("SparseMatMul",), "Leave out `implementation`.")
    return _BY_CLASS.get(name)


def unquantized_operations(layer: Any) -> Lack | None:
    """What an .onnx of 8 bits lacks of a layer, without those that it calls: nothing quantizes loops, nor branches."""
    if is_loop(layer):
        return Lack((), f"{_LOOP}." if class_of(layer, CONVOLUTIONAL_LOOPS) else _UNROLL)
    if class_of(layer, _LOCAL) and layer.implementation == 1:
        cure = "ONNX Runtime does not run it: use a convolution, or `precision: float32`."
        return Lack(("QLinearMatMul",), cure)
    return Lack(("If",), "Use Cropping2D, or `precision: float32`.") if class_of(layer, ("CenterCrop",)) else None

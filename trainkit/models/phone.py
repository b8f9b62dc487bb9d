"""What TensorFlow Lite asks of a network: which layers need more than its own operations, or a batch of one.

The table was measured by converting networks of one layer each; `tests/models/test_phone.py` converts them again.
What int8, the GPU delegate and ONNX ask besides stands in `targets/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from trainkit.framework import tf


class Need(Enum):
    """What a layer needs of TensorFlow Lite, or of the app."""

    BATCH_1 = "a batch of one"
    FLEX = "Flex ops"
    MISSING = "what TensorFlow Lite does not have"
    HOST = "to be done before the file"


@dataclass(frozen=True)
class PhoneNeed:
    """A layer that TensorFlow Lite does not run as it runs others.

    Args:
        layer: The name of the layer.
        class_name: As Keras spells it; of the layer inside, if it is a wrapper.
        need: What it needs.
        operations: Those of TensorFlow that TensorFlow Lite does not have.
        can_unroll: Whether `unroll: true` would let it take any batch.
    """

    layer: str
    class_name: str
    need: Need
    operations: tuple[str, ...] = ()
    can_unroll: bool = False


_FLEX: Mapping[str, tuple[str, ...]] = {
    "AveragePooling3D": ("AvgPool3D",),
    "Hashing": ("AsString", "StringToHashBucketFast"),
    "HashedCrossing": ("SparseCross",),
    "MaxPooling3D": ("MaxPool3D",),
}
_MISSING: Mapping[str, tuple[str, ...]] = {"TextVectorization": ()}
_HOST = ("Impute", "IntegerLookup", "StringLookup")
_BATCH_1 = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "GroupNormalization", "LSTM", "RNN", "SimpleRNN")
_UNROLLED = ("GRU", "LSTM", "RNN", "SimpleRNN")
_FOUR_AXES = ("PReLU", "UnitNormalization")
_INTERPOLATIONS = {  # of Resizing and UpSampling2D
    "area": (Need.MISSING, ("ResizeArea",)),
    "bicubic": (Need.FLEX, ("ResizeBicubic",)),
    **dict.fromkeys(("gaussian", "lanczos3", "lanczos5", "mitchellcubic"), (Need.MISSING, ("ScaleAndTranslate",))),
}


def phone_needs(model: Any) -> list[PhoneNeed]:
    """What TensorFlow Lite asks of the layers of a `tf.keras.Model`, a row for each that asks for something."""
    return [need for layer in model.layers if (need := _need(layer)) is not None]


def _need(layer: Any) -> PhoneNeed | None:
    inner = next((found for part in _inside(layer) if (found := _need(part)) is not None), None)
    if inner is not None:
        return PhoneNeed(layer.name, inner.class_name, inner.need, inner.operations, inner.can_unroll)
    name = next((class_.__name__ for class_ in type(layer).__mro__ if class_.__name__ in _NAMES), "")
    need, operations = _by_arguments(layer, name) or _by_class(layer, name)
    return None if need is None else PhoneNeed(layer.name, name, need, operations, name in _UNROLLED)


def _inside(layer: Any) -> Iterator[Any]:
    """The layers that a wrapper or a model calls."""
    if isinstance(layer, tf.keras.Model):
        yield from layer.layers
    elif isinstance(layer, tf.keras.layers.Wrapper):
        yield layer.layer
        if isinstance(layer, tf.keras.layers.Bidirectional):
            yield layer.backward_layer


def _by_class(layer: Any, name: str) -> tuple[Need | None, tuple[str, ...]]:
    if name in _HOST:
        return Need.HOST, ()
    if name in _FLEX:
        return Need.FLEX, _FLEX[name]
    if name in _MISSING:
        return Need.MISSING, _MISSING[name]
    if name in _BATCH_1 and not getattr(layer, "unroll", False):
        return Need.BATCH_1, ()
    return None, ()


def _by_arguments(layer: Any, name: str) -> tuple[Need, tuple[str, ...]] | None:
    """Layers that need something only with some arguments."""
    if name in ("Resizing", "UpSampling2D"):
        return _INTERPOLATIONS.get(layer.interpolation)
    if name == "Hashing" and any(tensor.dtype == tf.string for tensor in _taken(layer)):
        return Need.MISSING, ()
    if name in _FOUR_AXES and any(tensor.shape.rank > 4 for tensor in _taken(layer)):
        return Need.MISSING, ()
    if name == "Conv3D" and layer.groups > 1:
        return Need.MISSING, ("Conv3D",)
    if name == "Conv3D" and max(layer.dilation_rate) > 1:
        return Need.FLEX, ("BatchToSpaceND", "SpaceToBatchND")
    return None


def _taken(layer: Any) -> list[Any]:
    return [tensor for node in layer._inbound_nodes for tensor in node.keras_inputs]


_NAMES = {*_FLEX, *_MISSING, *_HOST, *_BATCH_1, *_FOUR_AXES, "Conv3D", "Resizing", "UpSampling2D"}

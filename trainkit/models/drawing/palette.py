"""Colours: a family of layers has its own pair of paper and stripe, no two alike in grey."""

from __future__ import annotations

from typing import Any, NamedTuple

INK, FAINT, WIRE, PAPER = "#1c2733", "#5b6875", "#46525e", "#ffffff"
BLOCK_PAPERS = ("#f6f8fa", "#eef2f5", "#e6ebf0")
BLOCK_EDGE = "#b4bfca"
FOLDED = "block"


class Colours(NamedTuple):
    """What a box is painted with: its paper, and the stripe on its left and its edge."""

    paper: str
    stripe: str


FAMILIES = {
    "input": Colours("#ffffff", "#2b3440"),
    "convolution": Colours("#cfe1f5", "#1f5592"),
    "dense": Colours("#f7c79b", "#b0560f"),
    "recurrent": Colours("#cdb9e8", "#4b2391"),
    "normalization": Colours("#f6f8da", "#b3ae3e"),
    "activation": Colours("#fdeeee", "#c0566a"),
    "pooling": Colours("#b5ddd3", "#0f6b5c"),
    "merging": Colours("#ffe07a", "#8a6500"),
    "preprocessing": Colours("#e3f4f6", "#58aebb"),
    "other": Colours("#e4e7ea", "#98a2ac"),
    FOLDED: Colours("#c6cfd8", "#6b7885"),
}
"""Papers from light to dark and stripes from light to dark: a grey print tells them apart by both together."""

TITLES = {
    "input": "input",
    "dense": "dense, attention",
    "other": "shape, noise and other",
    FOLDED: "folded block",
}
"""What the legend calls a family, where it is not its own name."""

_CHANGES = ("Brightness", "Contrast", "Crop", "Flip", "Height", "Rotation", "Translation", "Width", "Zoom")
_FEATURES = ("Lookup", "Vectorization", "Encoding", "Discretization", "Hash", "Rescaling", "Normalization", "Resizing")
_PREPROCESSING = (*_FEATURES, "CenterCrop", *(f"Random{change}" for change in _CHANGES))
_PARTS = (
    ("recurrent", ("LSTM", "GRU", "RNN", "Bidirectional")),
    ("convolution", ("Conv", "LocallyConnected")),
    ("pooling", ("Pool",)),
    ("normalization", ("BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization")),
    ("merging", ("_Merge", "Add", "Concatenate", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Dot")),
    ("dense", ("Dense", "Attention", "Embedding")),
    ("activation", ("Activation", "ReLU", "ELU", "Softmax")),
    (
        "preprocessing",
        _PREPROCESSING,
    ),
    ("input", ("InputLayer",)),
)
_EXACT = {"Add", "Average", "Dot", "Softmax"}


def family_of(layer: Any) -> str:
    """The family of a layer: of its class, of the nearest class above it that has one, or of the layer it wraps.

    Args:
        layer: A `tf.keras.layers.Layer`.
    """
    if hasattr(layer, "layer") and not type(layer).__name__.startswith("Bidirectional"):
        return family_of(layer.layer)
    for kind in type(layer).__mro__:
        for family, parts in _PARTS:
            if any(kind.__name__ == part if part in _EXACT else part in kind.__name__ for part in parts):
                return family
    return "merging" if "add" in layer.name.split(".")[-1] and type(layer).__name__ == "TFOpLambda" else "other"

"""Colours tell families apart, in grey too."""

from __future__ import annotations

from itertools import combinations

import pytest

from trainkit.framework import tf
from trainkit.models.drawing.palette import FAMILIES, INK, family_of

L = tf.keras.layers


def grey(colour):
    """The lightness of a colour in grey, 0 to 255 (ITU-R BT.601)."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_families_are_told_apart_in_grey_by_paper_and_stripe():
    for (name, one), (other_name, other) in combinations(FAMILIES.items(), 2):
        apart = abs(grey(one.paper) - grey(other.paper)) + abs(grey(one.stripe) - grey(other.stripe))
        assert apart > 12, (name, other_name, apart)


def test_families_leave_text_readable():
    assert all(grey(colours.paper) - grey(INK) > 150 for colours in FAMILIES.values())


@pytest.mark.parametrize(
    ("layer", "family"),
    [
        (lambda: L.SeparableConv2D(4, 3), "convolution"),
        (lambda: L.ConvLSTM2D(4, 3), "recurrent"),
        (lambda: L.Bidirectional(L.GRU(4)), "recurrent"),
        (lambda: L.TimeDistributed(L.Dense(4)), "dense"),
        (lambda: L.MultiHeadAttention(2, 4), "dense"),
        (lambda: L.AdditiveAttention(), "dense"),
        (lambda: L.GlobalAveragePooling2D(), "pooling"),
        (lambda: L.LayerNormalization(), "normalization"),
        (lambda: L.Normalization(), "preprocessing"),
        (lambda: L.RandomFlip(), "preprocessing"),
        (lambda: L.Dropout(0.5), "other"),
        (lambda: L.Flatten(), "other"),
        (lambda: L.PReLU(), "activation"),
        (lambda: L.Softmax(), "activation"),
        (lambda: L.Average(), "merging"),
        (lambda: L.Concatenate(), "merging"),
        (lambda: L.InputLayer((4,)), "input"),
    ],
)
def test_family_of_a_layer(layer, family):
    assert family_of(layer()) == family

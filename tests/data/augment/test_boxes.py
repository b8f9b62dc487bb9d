"""Tests of `trainkit.data.augment.boxes`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.boxes import paste, span
from trainkit.framework import tf


@pytest.mark.parametrize(
    "centre, side, expected",
    [
        (0.5, 2, "..xx.."),
        (0.5, 3, "..xxx."),
        (0.0, 3, "xx...."),
        (0.0, 1, "x....."),
        (0.999, 4, "...xxx"),
        (0.5, 0, "......"),
        (0.5, 6, "xxxxxx"),
    ],
)
def test_span_lies_around_its_centre_and_ends_at_the_border(centre, side, expected):
    covered = span(tf.constant([centre]), tf.constant([side]), tf.constant(6))[0].numpy()
    assert "".join("x" if pixel else "." for pixel in covered) == expected


@pytest.mark.parametrize("patch", [7.0, "images"], ids=["number", "images"])
def test_paste_changes_the_rectangle_only(make_images, patch):
    images = make_images(2, 4, 5, 3)
    other = tf.reverse(images, [1]) if patch == "images" else patch
    rows = tf.constant([[False, True, True, False], [False, False, False, True]])
    columns = tf.constant([[True, False, False, False, False], [False, False, True, True, True]])
    expected = images.numpy().copy()
    expected[0, 1:3, :1] = other[0, 1:3, :1] if patch == "images" else 7.0
    expected[1, 3:, 2:] = other[1, 3:, 2:] if patch == "images" else 7.0
    np.testing.assert_array_equal(paste(images, other, rows, columns), expected)

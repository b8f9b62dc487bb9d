"""Tests of `trainkit.data.augment.projection`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.projection import Projection
from trainkit.errors import InputError
from trainkit.framework import tf


@pytest.mark.parametrize(
    "fill_mode, expected",
    [
        ("reflect", [3, 2, 1, 1, 2, 3, 4, 4, 3]),
        ("wrap", [4, 3, 4, 1, 2, 3, 4, 1, 2]),
        ("nearest", [1, 1, 1, 1, 2, 3, 4, 4, 4]),
        ("constant", [9, 9, 9, 1, 2, 3, 4, 9, 9]),
    ],
)
def test_border_is_filled_as_asked(fill_mode, expected):
    row = tf.constant([1.0, 2.0, 3.0, 4.0])[tf.newaxis, tf.newaxis, :, tf.newaxis]
    project = Projection(fill_mode, "nearest", 9.0)
    shifts = [project(row, x=(1.0, 0.0, float(shift)), y=(0.0, 1.0, 0.0))[0, 0, 0, 0] for shift in range(-3, 6)]
    assert np.array(shifts).tolist() == expected


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("mirror", "nearest", 0.0), r"`fill_mode` must be one of reflect, wrap, .*Received: fill_mode='mirror'\."),
        (("wrap", "cubic", 0.0), r"`interpolation` must be one of nearest, bilinear\. Received: interp.*='cubic'\."),
        (("wrap", ["nearest"], 0.0), r"`interpolation` must be one of .*Received: interpolation=\['nearest'\]\."),
        (("constant", "nearest", "0"), r"`fill_value` must be a finite number\. Received: fill_value='0'\."),
        (("constant", "nearest", float("nan")), r"`fill_value` must be a finite number\. Received: fill_value=nan\."),
    ],
    ids=["fill mode", "interpolation", "list", "text", "nan"],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Projection(*arguments)

"""Tests of `trainkit.data.images.spec`."""

from __future__ import annotations

import json

import pytest

from trainkit.data.images import FITS, METHODS, ImageSpec
from trainkit.errors import InputError


def test_defaults_stretch_with_antialiased_bilinear_interpolation():
    assert ImageSpec(2, 3, 1).to_json() == {
        "height": 2,
        "width": 3,
        "channels": 1,
        "method": "bilinear",
        "antialias": True,
        "fit": "stretch",
    }


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("method", METHODS)
def test_json_holds_everything(method, fit):
    spec = ImageSpec(96, 128, 3, method, False, fit)
    assert ImageSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_shape_is_height_width_channels():
    assert ImageSpec(96, 128, 4).shape == (96, 128, 4)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"height": 0}, r"`height` must be a whole number from 1\. Received: height=0\."),
        ({"width": -3}, r"`width` must be a whole number from 1\. Received: width=-3\."),
        ({"width": 2.0}, r"Received: width=2\.0\."),
        ({"height": True}, r"Received: height=True\."),
        ({"channels": 2}, r"`channels` must be 1 \(grey\), 3 \(RGB\) or 4 \(RGBA\)\. Received: channels=2\."),
        ({"method": "cubic"}, r"`method` must be one of nearest, .*lanczos\. Received: method='cubic'\."),
        ({"fit": "cover"}, r"`fit` must be one of stretch, crop, pad\. Received: fit='cover'\."),
    ],
    ids=["no height", "negative width", "float", "bool", "channels", "method", "fit"],
)
def test_wrong_value_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        ImageSpec(**{"height": 2, "width": 3, "channels": 1, **change})

"""Tests of `trainkit.data.augment.cutout`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.cutout import Cutout
from trainkit.errors import InputError


def holes(images, **arguments):
    """The rows and the columns that are hidden in each image, as `(first, last)` pairs; and that it is a rectangle."""
    changed, _ = Cutout(**arguments, fill_value=-1)(*images)
    hidden = changed.numpy() == -1
    np.testing.assert_array_equal(changed.numpy()[~hidden], images[0].numpy()[~hidden])
    assert (hidden.all(3) == hidden.any(3)).all()
    rows, columns = hidden.any((2, 3)), hidden.any((1, 3))
    np.testing.assert_array_equal(hidden[..., 0], rows[:, :, None] & columns[:, None])
    return [np.stack([axis.argmax(1), axis.shape[1] - axis[:, ::-1].argmax(1) - 1], 1) for axis in (rows, columns)]


@pytest.mark.parametrize("factor, side", [(0.5, 10), (0.25, 5), (1, 20), (0.12, 2)])
def test_square_has_its_share_of_the_shorter_side(make_images, make_keys, factor, side):
    rows, columns = holes((make_images(500, 20, 30), {}, make_keys(500)), size_factor=factor)
    for ends, length in ((rows, 20), (columns, 30)):
        sides = ends[:, 1] - ends[:, 0] + 1
        whole = (ends[:, 0] > 0) & (ends[:, 1] < length - 1)
        assert set(sides[whole]) <= {side}
        assert sides.max() == side
        assert sides.min() >= side // 2


def test_centre_is_anywhere(make_images, make_keys):
    rows, columns = holes((make_images(2_000, 10, 14, 1), {}, make_keys(2_000)), size_factor=0.1)  # one pixel
    shares = np.histogram2d(rows[:, 0], columns[:, 0], bins=[range(11), range(15)])[0] / 2_000
    assert shares.min() > 0
    assert abs(shares - 1 / 140).max() < 5 * np.sqrt(1 / 140 / 2_000)


def test_default_hides_half_of_the_side_with_zeros(make_images, make_keys):
    changed, _ = Cutout()(make_images(200, 32, 32) + 1.0, {}, make_keys(200))
    assert (changed.numpy() == 0).sum((1, 2, 3)).max() == 16 * 16 * 3


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"size_factor": 0}, r"`size_factor` must be a number in \(0, 1\]\. Received: size_factor=0\."),
        ({"size_factor": 1.5}, r"`size_factor` must be a number in \(0, 1\]\. Received: size_factor=1\.5\."),
        ({"size_factor": [0.1, 0.2]}, r"`size_factor` must be .*Received: size_factor=\[0\.1, 0\.2\]\."),
        ({"fill_value": "black"}, r"`fill_value` must be a finite number\. Received: fill_value='black'\."),
    ],
    ids=["nothing", "too much", "list", "text"],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Cutout(**arguments)
